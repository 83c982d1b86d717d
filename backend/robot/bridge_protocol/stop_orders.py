"""Stop and resume as a sequence: commit the latch, notify the bridges, then let the rest follow."""

import asyncio
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from backend.robot.bridge_protocol import fleet_snapshot
from backend.robot.bridge_protocol.fleet_snapshot import SNAPSHOT
from backend.robot.schemas.emergency_stops import StopRead
from backend.robot.service import emergency_stop, stop_effects
from backend.shared.domain import audit, commands
from backend.shared.domain.stop_latches import Latch
from backend.shared.infra import async_database, commit_hooks, logs
from backend.shared.models import FLEET_LATCH

_log = logs.get(__name__)


async def stop(robot_id: UUID | None, by: UUID, reason: str | None) -> StopRead:
    """Stop the robot, or all. Its bridge has been notified when this returns."""
    stopped, latch = await async_database.run_reserved(emergency_stop.stop, robot_id, by, reason)
    await _announce(robot_id, latch)
    changes = {"reason": reason, "stop_version": stopped.stop_version}
    await _record("robot.stop", robot_id, by, changes)
    return stopped


async def resume(robot_id: UUID | None, by: UUID, reason: str) -> list[UUID]:
    """Lift the stop of the robot, or of the fleet; the ids of robots that may move again."""
    robots, latch = await async_database.run_reserved(emergency_stop.resume, robot_id, by, reason)
    if latch is not None:
        await _announce(robot_id, latch)
    resumed = [str(resumed_id) for resumed_id in robots]
    await _record("robot.resume", robot_id, by, {"reason": reason, "robots": resumed})
    return robots


async def _announce(robot_id: UUID | None, latch: Latch) -> None:
    latch_id = robot_id or FLEET_LATCH
    SNAPSHOT.apply(latch_id, latch)
    await asyncio.gather(
        commit_hooks.send_async([fleet_snapshot.message(latch_id, latch)]), _follow()
    )


async def _follow() -> None:
    """Let the robots' rows follow; those that are locked, or all on an error, follow later."""
    with suppress(SQLAlchemyError, PoolTimeout, OSError):
        await follow_latches(reserved=True)


async def follow_latches(*, reserved: bool = False) -> None:
    """Let rows follow their latches; issue the commands that resumed robots wait for."""
    run = async_database.run_reserved if reserved else async_database.run
    for task_id in await run(stop_effects.follow_latches):
        await async_database.run(commands.issue_pending, task_id)


async def _record(action: str, robot_id: UUID | None, by: UUID, changes: dict[str, Any]) -> None:
    """Record an audit entry, apart from the latch: it may have to wait for the user's row."""
    try:
        await async_database.run_reserved(
            audit.record,
            actor_id=by,
            action=action,
            resource=("robot", robot_id),
            changes=changes,
        )
    except (SQLAlchemyError, OSError) as error:
        _log.error("audit entry not written", action=action, by=str(by), error=str(error))
