"""Long polls: requests that LUNA answers when there is something new."""

import asyncio
import time
from typing import Any

from bridge.messages import Json
from bridge.protocol.client import ApiClient, DeclinedError, UnreachableError
from bridge.protocol.link_monitor import LinkRestoredError
from bridge.timeouts import Timeouts


class LongPoll:
    def __init__(self, client: ApiClient, timeouts: Timeouts) -> None:
        self._client = client
        self._timeouts = timeouts

    async def ask(self, path: str, query: Json) -> Any | None:
        """One response, or None when the caller must ask again. Raises only SupersededError."""
        started = time.monotonic()
        timeouts = self._timeouts
        try:
            data = await self._client.link.run_poll(
                self._client.call(
                    "GET",
                    path,
                    query={**query, "wait": timeouts.poll_wait},
                    timeout=timeouts.poll_wait + timeouts.poll_margin,
                )
            )
        except LinkRestoredError:
            return None
        except (UnreachableError, DeclinedError) as error:
            await self._client.recover(error)
            return None
        if data is None and time.monotonic() - started < timeouts.poll_pause:
            await asyncio.sleep(timeouts.poll_pause)
        return data

    async def back_off(self, error: Exception) -> None:
        """Wait after a malformed response, so that it is not fetched again without a pause."""
        await self._client.recover(UnreachableError(str(error)))
