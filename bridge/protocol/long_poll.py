"""A long poll: a question that LUNA answers when there is something to say."""

import asyncio
import time
from typing import Any

from bridge.messages import Json
from bridge.protocol.client import ApiClient, DeclinedError, UnreachableError
from bridge.protocol.link_monitor import LinkMonitor, RegainedError
from bridge.timeouts import Timeouts


class LongPoll:
    def __init__(self, line: ApiClient, contact: LinkMonitor, timing: Timeouts) -> None:
        self._line = line
        self._contact = contact
        self._timing = timing

    async def ask(self, path: str, query: Json) -> Any | None:
        """One answer, or None when there is none yet: ask again. Raises only SupersededError."""
        asked = time.monotonic()
        timing = self._timing
        try:
            data = await self._contact.hold_line(
                self._line.call(
                    "GET",
                    path,
                    query={**query, "wait": timing.poll_wait},
                    timeout=timing.poll_wait + timing.poll_slack,
                )
            )
        except RegainedError:
            return None
        except (UnreachableError, DeclinedError) as error:
            await self._line.recover(error)
            return None
        if data is None and time.monotonic() - asked < timing.poll_rest:
            await asyncio.sleep(timing.poll_rest)
        return data

    async def not_understood(self, error: Exception) -> None:
        """Wait, so that an answer that nobody understands is not fetched without a pause."""
        await self._line.recover(UnreachableError(str(error)))
