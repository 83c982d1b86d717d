"""Tracks whether LUNA responds, and interrupts polls that outlived an outage."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class LinkRestoredError(Exception):
    """The link was lost and is back: an earlier long poll may hang on a dead connection."""


async def _ignore() -> None:
    """Do nothing: before the session no motion has to be halted."""


class LinkMonitor:
    """Records responses and failures; the link is lost after `lost_after` s of failures."""

    def __init__(self, lost_after: float) -> None:
        self._lost_after = lost_after
        self._last_response = time.monotonic()
        self._failing_since: float | None = None
        self._restored = asyncio.Event()
        self.key_refused: Callable[[], Awaitable[None]] = _ignore

    @property
    def silence(self) -> float:
        """Seconds since LUNA last responded."""
        return time.monotonic() - self._last_response

    def record_response(self) -> None:
        now = time.monotonic()
        failing_since, self._failing_since = self._failing_since, None
        self._last_response = now
        if failing_since is not None and now - failing_since >= self._lost_after:
            self._restored.set()
            self._restored = asyncio.Event()

    def record_failure(self) -> None:
        if self._failing_since is None:
            self._failing_since = time.monotonic()

    async def run_poll(self, poll: Coroutine[Any, Any, Answer]) -> Answer:
        """Run a long poll; raises LinkRestoredError when it outlived an outage."""
        asking = asyncio.ensure_future(poll)
        regained = asyncio.ensure_future(self._restored.wait())
        try:
            await asyncio.wait({asking, regained}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                return asking.result()
            raise LinkRestoredError
        finally:
            asking.cancel()
            regained.cancel()
