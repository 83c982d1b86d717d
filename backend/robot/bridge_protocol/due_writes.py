"""Heartbeats that change nothing but are due to be written, in one transaction a second for all."""

import asyncio
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import Update, bindparam, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.robot.schemas.bridges import Heartbeat
from backend.shared.infra import async_database, clock
from backend.shared.models import Robot

_INTERVAL = 1.0  # seconds
_pending: dict[UUID, dict[str, Any]] = {}
_writing = asyncio.Lock()


def _build() -> Update:
    """Update a robot of this session that no other transaction has locked or written since."""
    unlocked = (
        select(Robot.id)
        .where(
            Robot.id == bindparam("for_robot"),
            Robot.epoch == bindparam("for_epoch"),
            Robot.heartbeat_seq <= bindparam("seq"),
        )
        .with_for_update(skip_locked=True)
    )
    return (
        update(Robot)
        .where(Robot.id.in_(unlocked))
        .values(
            pose=bindparam("at", type_=JSONB),
            battery_level=bindparam("battery"),
            sensor_data=bindparam("sensors", type_=JSONB),
            last_heartbeat=bindparam("now"),
            heartbeat_seq=bindparam("seq"),
        )
    )


_UPDATE = _build()


def add(robot_id: UUID, beat: Heartbeat) -> None:
    """Write the heartbeat with the next transaction, unless a newer one has come."""
    _pending[robot_id] = {
        "for_robot": robot_id,
        "for_epoch": beat.epoch,
        "at": beat.pose.model_dump(),
        "battery": beat.battery,
        "sensors": {**beat.sensors, "safety": beat.safety.model_dump()},
        "now": clock.now(),
        "seq": beat.seq,
    }


async def write_batches() -> None:
    """Write what was collected, forever; what could not be written comes again."""
    while True:
        await asyncio.sleep(_INTERVAL)
        await write_batch()


async def write_batch() -> None:
    """Write what was collected, after the batch before it."""
    async with _writing:
        batch = list(_pending.values())
        _pending.clear()
        if batch:
            with suppress(SQLAlchemyError, OSError):
                await async_database.run(write, batch)


def write(session: Session, batch: list[dict[str, Any]]) -> None:
    """Write the heartbeats; one that is older than its robot's row is left out."""
    session.connection().execute(_UPDATE, batch)
