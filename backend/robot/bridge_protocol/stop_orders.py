"""Stop and resume as a sequence: commit the latch, notify the bridges, then let the rest follow.

The response waits for the latch only, on connections that nothing else uses.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from backend.robot.bridge_protocol import fleet_snapshot
from backend.robot.bridge_protocol.fleet_snapshot import SNAPSHOT
from backend.robot.schemas.emergency_stops import StopRead
from backend.robot.service import emergency_stop, stop_effects
from backend.shared.domain import audit, commands
from backend.shared.domain.stop_latches import Latch
from backend.shared.errors import ServiceUnavailable
from backend.shared.infra import async_database, commit_hooks, logs
from backend.shared.models import FLEET_LATCH, StopReport

_log = logs.get(__name__)


_FOLLOWED_WITHIN = 0.2  # seconds; usually a row follows its latch within some milliseconds
_CONFIRM_PAUSES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4)  # seconds before each try of a confirmation
_unfinished: set[asyncio.Task[None]] = set()


async def stop(robot_id: UUID | None, by: UUID, reason: str | None) -> StopRead:
    """Stop the robot, or all.

    Nothing is awaited once the latch is committed: the response leaves, then the bridges' polls
    answer, then the rest follows.
    """
    stopped, latch = await async_database.run_reserved(emergency_stop.stop, robot_id, by, reason)
    changes = {"reason": reason, "stop_version": stopped.stop_version}
    _begin(*_announce(robot_id, latch), _record("robot.stop", robot_id, by, changes))
    return stopped


async def resume(robot_id: UUID | None, by: UUID, reason: str) -> list[UUID]:
    """Lift the stop of the robot, or of the fleet; the ids of robots that may move again."""
    robots, latch = await async_database.run_reserved(emergency_stop.resume, robot_id, by, reason)
    resumed = [str(resumed_id) for resumed_id in robots]
    announced = () if latch is None else _announce(robot_id, latch)
    changes = {"reason": reason, "robots": resumed}
    await asyncio.wait(_begin(*announced, _record("robot.resume", robot_id, by, changes)))
    return robots


def _announce(robot_id: UUID | None, latch: Latch) -> Iterable[Coroutine[Any, Any, None]]:
    """Notify the polls of this process; return what notifies the others and moves the rows."""
    latch_id = robot_id or FLEET_LATCH
    SNAPSHOT.apply(latch_id, latch)
    return commit_hooks.send_async([fleet_snapshot.CHANGED]), _follow()


def _begin(*work: Coroutine[Any, Any, None]) -> list[asyncio.Task[None]]:
    """Do what may wait for Redis or a row apart from the response."""
    tasks = [asyncio.create_task(each) for each in work]
    _unfinished.update(tasks)
    for task in tasks:
        task.add_done_callback(_unfinished.discard)
    return tasks


async def finish() -> None:
    """Wait for what the last stops and resumes have left to do."""
    while _unfinished:
        await asyncio.wait(_unfinished)


async def _follow() -> None:
    """Let the robots' rows follow; those that are locked, or all on an error, follow later."""
    with suppress(SQLAlchemyError, OSError):
        await follow_latches()


async def follow_latches() -> None:
    """Let rows follow their latches; issue the commands that resumed robots wait for."""
    for task_id in await async_database.run(stop_effects.follow_latches):
        await async_database.run(commands.issue_pending, task_id)


async def confirm(robot_id: UUID, version: int, report: StopReport) -> int:
    """Record a bridge's confirmation; the current version.

    It may overtake the robot's row. ServiceUnavailable when that row is locked for a second: no
    connection waits for it, and the bridge confirms again.
    """
    if _unfinished:  # bridges that are still to be notified go first
        await asyncio.wait(_unfinished, timeout=_FOLLOWED_WITHIN)
    for pause in _CONFIRM_PAUSES:
        await asyncio.sleep(pause)
        current = await async_database.run(emergency_stop.confirm, robot_id, version, report)
        if current is not None:
            return current
    raise ServiceUnavailable("The stop cannot be confirmed at the moment. Confirm it again.")


async def _record(action: str, robot_id: UUID | None, by: UUID, changes: dict[str, Any]) -> None:
    """Record an audit entry, apart from the latch: it may have to wait for the user's row."""
    try:
        await async_database.run(
            audit.record,
            actor_id=by,
            action=action,
            resource=("robot", robot_id),
            changes=changes,
        )
    except (SQLAlchemyError, OSError) as error:
        _log.error("audit entry not written", action=action, by=str(by), error=str(error))
