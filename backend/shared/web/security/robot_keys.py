"""The keys of robots in memory, so that a made-up key costs no connection.

All keys are read together, at most five times a second for all callers: again for a known key when
the last read is older than LUNA_REVOCATION_DELAY, and for an unknown one, which may be new.
"""

import asyncio
import math
import time

from sqlalchemy import select

from backend.shared.domain.actor import RobotActor
from backend.shared.infra import clock, config
from backend.shared.infra.hot_reads import HotRead, Row
from backend.shared.models import Robot, RobotKey
from backend.shared.web.security import api_keys

REFUSAL_DELAY = 2.0  # seconds: a caller that repeats made-up keys leaves time for the others
_MIN_INTERVAL = 0.2  # seconds between two reads
KEYS = HotRead(
    select(RobotKey.prefix, RobotKey.key_hash, RobotKey.expires_at, Robot.id, Robot.robot_name)
    .join(Robot, Robot.id == RobotKey.robot_id)
    .where(RobotKey.revoked_at.is_(None), Robot.retired_at.is_(None))
)


class _Snapshot:
    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._began = -math.inf  # when the last read began
        self._reading: asyncio.Task[None] | None = None

    async def read_since(self, moment: float) -> None:
        """Return when a read has finished that began after `moment`; callers share it."""
        while self._began < moment:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read())
            await asyncio.shield(self._reading)

    async def _read(self) -> None:
        await asyncio.sleep(max(0.0, self._began + _MIN_INTERVAL - time.monotonic()))
        began = time.monotonic()
        self.rows = {row.prefix: row for row in await KEYS.all()}
        self._began = began

    def clear(self) -> None:
        self.rows, self._began = {}, -math.inf


_snapshot = _Snapshot()


async def find(key: str) -> RobotActor | None:
    """Return the robot whose key this is, if the key is valid."""
    prefix = api_keys.robot_key_prefix(key)
    if prefix is None:
        return None
    now = time.monotonic()
    await _snapshot.read_since(now - config.auth().revocation_delay.total_seconds())
    if prefix not in _snapshot.rows:
        await _snapshot.read_since(now)
    row = _snapshot.rows.get(prefix)
    if row is None or not api_keys.matches_digest(key, row.key_hash):
        return None
    if row.expires_at is not None and row.expires_at <= clock.now():
        return None
    return RobotActor(row.id, row.robot_name)


def clear() -> None:
    """Forget all keys (for tests that change the database or the clock)."""
    _snapshot.clear()
