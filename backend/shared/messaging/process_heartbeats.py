"""Heartbeats of processes: each running component renews its row every two seconds."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import case, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.shared.infra import async_database, background, clock, hot_reads, redis
from backend.shared.models import ProcessHeartbeat

INTERVAL = timedelta(seconds=2)
_TIMEOUT = timedelta(seconds=6)  # a longer gap resets `since`
_alive: set[str] = set()  # the components that run in this process
_details: dict[str, Callable[[], dict[str, Any]]] = {}
_RENEW = """
    INSERT INTO part_heartbeats AS own (part, instance, since, at, details)
    VALUES (%(part)s, %(instance)s, %(now)s, %(now)s, CAST(%(details)s AS jsonb))
    ON CONFLICT (part, instance) DO UPDATE SET
        since = CASE WHEN own.at >= %(in_time)s THEN own.since ELSE excluded.since END,
        at = excluded.at, details = excluded.details
    RETURNING part
"""


@cache
def _instance() -> str:
    """Return the name of this process; not a constant, because the import may precede a fork."""
    return f"{socket.gethostname()}:{os.getpid()}"


def include(part: str, details: Callable[[], dict[str, Any]]) -> None:
    """Store what `details` returns with every heartbeat of the component."""
    _details[part] = details


def record(session: Session, part: str, details: dict[str, Any] | None = None) -> None:
    """Record a heartbeat of a component; `since` is kept while none is missed."""
    now = clock.now()
    if details is None:
        details = _details.get(part, dict)()
    row = insert(ProcessHeartbeat).values(
        part=part, instance=_instance(), since=now, at=now, details=details
    )
    in_time = ProcessHeartbeat.at >= now - _TIMEOUT
    session.execute(
        row.on_conflict_do_update(
            index_elements=["part", "instance"],
            set_={
                "since": case((in_time, ProcessHeartbeat.since), else_=row.excluded.since),
                "at": row.excluded.at,
                "details": row.excluded.details,
            },
        )
    )


def details_of(session: Session, part: str, within: timedelta) -> list[dict[str, Any]]:
    """Return the details of each instance of a component with a heartbeat within this time."""
    rows = session.execute(
        select(ProcessHeartbeat.details).where(
            ProcessHeartbeat.part == part, ProcessHeartbeat.at >= clock.now() - within
        )
    ).scalars()
    return list(rows)


def alive_since(session: Session, part: str) -> datetime | None:
    """Return since when an instance of a component has been alive; None when none is."""
    rows = session.execute(
        select(ProcessHeartbeat.since).where(
            ProcessHeartbeat.part == part, ProcessHeartbeat.at >= clock.now() - _TIMEOUT
        )
    ).scalars()
    return min(rows, default=None)


async def _renew(part: str) -> None:
    """Record a heartbeat as `record` does, in one round trip and without a transaction."""
    now = clock.now()
    details = json.dumps(_details.get(part, dict)())
    values = {"part": part, "instance": _instance(), "now": now, "details": details}
    await hot_reads.run(_RENEW, values | {"in_time": now - _TIMEOUT})


@asynccontextmanager
async def run(part: str) -> AsyncIterator[None]:
    """Record heartbeats in the background while the application runs.

    The last component of the process closes its connections: services that share a process
    (tests) share them, and closing one that another still reads from never returns.
    """
    _alive.add(part)

    async def renew() -> None:
        while True:
            with suppress(SQLAlchemyError, OSError):
                await _renew(part)
            await asyncio.sleep(INTERVAL.total_seconds())

    tasks = background.start(renew)
    try:
        yield
    finally:
        await background.end(tasks)
        _alive.discard(part)
        if not _alive:
            await async_database.close()
            await redis.close_async()
