"""All keys of one kind in memory, so that a made-up key costs no connection.

They are read together, at most five times a second for all callers: again for a known key when the
last read is older than LUNA_REVOCATION_DELAY, and for an unknown one, which may be new.
"""

import asyncio
import math
import time

from backend.shared.infra import config
from backend.shared.infra.hot_reads import HotRead, Row

_MIN_INTERVAL = 0.2  # seconds between two reads


class KeySnapshot:
    """The rows of a hot read by their `prefix` and `previous_prefix`."""

    def __init__(self, read: HotRead) -> None:
        self._read_all = read
        self._rows: dict[str, Row] = {}
        self._began = -math.inf  # when the last read began
        self._reading: asyncio.Task[None] | None = None

    async def get(self, prefix: str) -> Row | None:
        """Return the row with a prefix, if there is one now."""
        now = time.monotonic()
        await self._read_since(now - config.auth().revocation_delay.total_seconds())
        if prefix not in self._rows:
            await self._read_since(now)
        return self._rows.get(prefix)

    async def _read_since(self, moment: float) -> None:
        """Return when a read has finished that began after `moment`; callers share it."""
        while self._began < moment:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read())
            await asyncio.shield(self._reading)

    async def _read(self) -> None:
        await asyncio.sleep(max(0.0, self._began + _MIN_INTERVAL - time.monotonic()))
        began = time.monotonic()
        rows = await self._read_all.all()
        self._rows = {prefix: row for row in rows for prefix in _prefixes(row)}
        self._began = began

    def clear(self) -> None:
        """Forget all keys (for tests that change the database or the clock)."""
        self._rows, self._began = {}, -math.inf


def _prefixes(row: Row) -> list[str]:
    """Return the prefixes of a row: also that of the key before a rotation, if there is one."""
    previous = getattr(row, "previous_prefix", None)
    return [row.prefix] if previous is None else [row.prefix, previous]
