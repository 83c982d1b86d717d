"""Stop latches and robots in memory, so that most polls and heartbeats ask no database.

Read from PostgreSQL twice a second, five times while Redis is away; at once when a process says
that it has committed a stop or resume. That message carries nothing: what somebody else put into
Redis cannot lift a stop.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from backend.robot.bridge_protocol import robot_states
from backend.robot.bridge_protocol.robot_states import RobotState
from backend.shared.domain import stop_latches
from backend.shared.domain.stop_latches import Latch, Order
from backend.shared.infra import commit_hooks
from backend.shared.infra.hot_reads import HotRead
from backend.shared.messaging import channels
from backend.shared.models import FLEET_LATCH

_LATCHES = HotRead(stop_latches.ALL)
_OPEN = Latch(0, stopped=False, reason=None)
_IDLE_AFTER = 30.0  # seconds; longer than a poll
_MAX_AGE = 1.0  # seconds; an older snapshot is read again before it answers


class FleetSnapshot:
    """All stop latches and robots, as new as the last message or read."""

    def __init__(self) -> None:
        self.latches: dict[UUID, Latch] = {}
        self.robots: dict[UUID, RobotState] = {}
        self._applied_at: dict[UUID, float] = {}
        self._used_at = -_IDLE_AFTER
        self.read_at = -_MAX_AGE
        self._reading: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._is_outdated = False
        self.on_change: Callable[[UUID], None] = lambda _latch_id: None
        self.on_command: Callable[[UUID], None] = lambda _robot_id: None

    def order_for(self, robot_id: UUID) -> Order:
        """Return whether the robot must stand still, and since which version."""
        fleet = self.latches.get(FLEET_LATCH, _OPEN)
        return stop_latches.combine(self.latches.get(robot_id, _OPEN), fleet)

    def robot(self, robot_id: UUID) -> RobotState | None:
        """Return the robot's row of `robot_states`; None when it may have changed since."""
        return self.robots.get(robot_id)

    async def has_no_command(self, robot_id: UUID, epoch: int) -> bool:
        """Whether nothing waits for this session of the robot: then its poll asks no database.

        A command that is created drops the robot's row, by the message that wakes the poll.
        """
        await self.ensure_fresh()
        row = self.robots.get(robot_id)
        return row is not None and row.epoch == epoch and row.commands_waiting == 0

    @property
    def is_used(self) -> bool:
        """Whether a heartbeat or a poll has come within the last seconds."""
        return time.monotonic() - self._used_at < _IDLE_AFTER

    def forget_robot(self, robot_id: UUID) -> None:
        """Drop the row of a robot that has changed: a new session, a command, a written beat."""
        self.robots.pop(robot_id, None)
        self._applied_at[robot_id] = time.monotonic()

    def apply(self, latch_id: UUID, latch: Latch) -> None:
        """Take over a latch that a stop or resume has just committed, unless it is an older one."""
        if latch.version > self.latches.get(latch_id, _OPEN).version:
            self.latches[latch_id] = latch
            self._applied_at[latch_id] = time.monotonic()
            self.on_change(latch_id)

    def expire(self) -> None:
        """Read again at once: a process says that a latch has changed."""
        self._is_outdated = True
        if self._following is None or self._following.done():
            self._following = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        while self._is_outdated:
            if self._reading is not None:  # it may have begun before the change
                await asyncio.wait([self._reading])
            self._is_outdated = False
            with suppress(SQLAlchemyError, OSError):  # the regular read follows
                await self.refresh()

    async def ensure_fresh(self) -> None:
        """Read the latches if the last read is older than a second."""
        self._used_at = time.monotonic()
        if self._used_at - self.read_at >= _MAX_AGE:
            await self.refresh()

    async def refresh(self) -> None:
        """Read the latches; callers at the same time share one read."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        await asyncio.shield(self._reading)

    async def finish(self) -> None:
        """Wait for reads under way, before their connections are closed."""
        for reading in (self._following, self._reading):
            if reading is not None:
                await asyncio.wait([reading])

    async def _read(self) -> None:
        began = time.monotonic()
        rows = await _LATCHES.all()
        found = {row.id: Latch(row.version, row.stopped, row.reason) for row in rows}
        robots: Sequence[RobotState] = await robot_states.FLEET.all() if self.is_used else ()
        # What was applied during the read may be newer than what was read.
        applied = {each for each, at in self._applied_at.items() if at >= began}
        newer = {
            each: latch
            for each, latch in self.latches.items()
            if each in applied and latch.version > found.get(each, _OPEN).version
        }
        before, self.latches, self.read_at = self.latches, {**found, **newer}, began
        self.robots = {row.id: row for row in robots if row.id not in applied}
        for row in self.robots.values():
            if row.commands_waiting:
                self.on_command(row.id)
        for latch_id, latch in self.latches.items():
            if before.get(latch_id, _OPEN) != latch:
                self.on_change(latch_id)

    def clear(self) -> None:
        """Forget everything (for tests that empty the database)."""
        self.latches.clear()
        self.robots.clear()
        self._applied_at.clear()
        self.read_at = -_MAX_AGE


CHANGED = commit_hooks.Publish(channels.STOP_LATCHES, b"")


SNAPSHOT = FleetSnapshot()
