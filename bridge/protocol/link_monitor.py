"""Do we still hear LUNA? Everything that depends on the answer waits here."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class RegainedError(Exception):
    """Contact was lost and is back: a long poll from before may hang on a dead connection."""


async def _nobody() -> None:
    """Nothing moves yet, so nothing has to be halted."""


class LinkMonitor:
    """Remembers the last good answer, and tells when a contact broken for `lost_after` is back."""

    def __init__(self, lost_after: float) -> None:
        self._lost_after = lost_after
        self._last_good = time.monotonic()
        self._failing_since: float | None = None
        self._regained = asyncio.Event()
        self._heard = asyncio.Event()
        self.key_refused: Callable[[], Awaitable[None]] = _nobody

    @property
    def silence(self) -> float:
        """Seconds since LUNA last gave a good answer."""
        return time.monotonic() - self._last_good

    def answered(self) -> None:
        now = time.monotonic()
        failing_since, self._failing_since = self._failing_since, None
        self._last_good = now
        self._heard.set()
        self._heard = asyncio.Event()
        if failing_since is not None and now - failing_since >= self._lost_after:
            self._regained.set()
            self._regained = asyncio.Event()

    def failed(self) -> None:
        if self._failing_since is None:
            self._failing_since = time.monotonic()

    async def next_answer(self) -> None:
        """Wait for the next good answer of any kind."""
        await self._heard.wait()

    async def hold_line(self, poll: Coroutine[Any, Any, Answer]) -> Answer:
        """Run a long poll; raises RegainedError when it outlived a break of the contact."""
        asking = asyncio.ensure_future(poll)
        regained = asyncio.ensure_future(self._regained.wait())
        try:
            await asyncio.wait({asking, regained}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                return asking.result()
            raise RegainedError
        finally:
            asking.cancel()
            regained.cancel()
