"""The stop latches in memory, so that a poll or a heartbeat asks no database whether to stop.

Read from PostgreSQL twice a second, five times while Redis is away; a stop or resume of any
process updates it at once, by a message that carries the latch.
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from uuid import UUID

from backend.robot.schemas.bridges import StopOrder
from backend.shared.domain import stop_latches
from backend.shared.domain.stop_latches import Latch
from backend.shared.infra import async_database, commit_hooks
from backend.shared.messaging import channels
from backend.shared.models import FLEET_LATCH

_OPEN = Latch(0, stopped=False, reason=None)
_MAX_AGE = 1.0  # seconds; an older snapshot is read again before it answers


class FleetSnapshot:
    """All stop latches, as new as the last message or read."""

    def __init__(self) -> None:
        self._latches: dict[UUID, Latch] = {}
        self._applied_at: dict[UUID, float] = {}
        self._read_at = -_MAX_AGE
        self._reading: asyncio.Task[None] | None = None
        self.on_change: Callable[[UUID], None] = lambda _latch_id: None

    def order_for(self, robot_id: UUID) -> StopOrder:
        """Return whether the robot must stand still, and since which version."""
        own = self._latches.get(robot_id, _OPEN)
        fleet = self._latches.get(FLEET_LATCH, _OPEN)
        stopping = fleet if fleet.stopped else own
        return StopOrder(
            stop_version=own.version + fleet.version,
            stopped=stopping.stopped,
            reason=stopping.reason if stopping.stopped else None,
        )

    def apply(self, latch_id: UUID, latch: Latch) -> None:
        """Take over a latch that a stop or resume has just committed, unless it is an older one."""
        if latch.version > self._latches.get(latch_id, _OPEN).version:
            self._latches[latch_id] = latch
            self._applied_at[latch_id] = time.monotonic()
            self.on_change(latch_id)

    def receive(self, body: bytes) -> None:
        """Take over a latch from the message of another process."""
        content = json.loads(body)
        self.apply(UUID(content.pop("id")), Latch(**content))

    async def ensure_fresh(self) -> None:
        """Read the latches if the last read is older than a second."""
        if time.monotonic() - self._read_at >= _MAX_AGE:
            await self.refresh()

    async def refresh(self) -> None:
        """Read the latches; callers at the same time share one read."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        await asyncio.shield(self._reading)

    async def _read(self) -> None:
        began = time.monotonic()
        found = await async_database.read(stop_latches.read_all)
        # A latch that was applied during the read may be newer than what was read.
        newer = {
            latch_id: self._latches[latch_id]
            for latch_id, applied in self._applied_at.items()
            if applied >= began
        }
        before, self._latches, self._read_at = self._latches, {**found, **newer}, began
        for latch_id, latch in self._latches.items():
            if before.get(latch_id, _OPEN) != latch:
                self.on_change(latch_id)

    def clear(self) -> None:
        """Forget everything (for tests that empty the database)."""
        self._latches.clear()
        self._applied_at.clear()
        self._read_at = -_MAX_AGE


def message(latch_id: UUID, latch: Latch) -> commit_hooks.Publish:
    """Build the message that carries a changed latch to the other processes."""
    body = json.dumps({"id": str(latch_id), **asdict(latch)}).encode()
    return commit_hooks.Publish(channels.STOP_LATCHES, body)


SNAPSHOT = FleetSnapshot()
