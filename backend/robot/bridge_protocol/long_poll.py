"""Long polls: notified through Redis within milliseconds, and correct without it.

One Redis subscription and one periodic database check per process serve all waiting polls, so a
fleet of two hundred idle robots costs one small query every few seconds.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from backend.robot.bridge_protocol.fleet_snapshot import SNAPSHOT
from backend.shared.messaging import channels, realtime
from backend.shared.models import FLEET_LATCH

T = TypeVar("T")
_INTERVAL = 0.5  # seconds
_INTERVAL_WITHOUT_REDIS = 0.2
_STOP_PREFIX = "stop:"


def stop_key(robot_id: UUID) -> str:
    """Name what the stop poll of a robot waits for."""
    return f"{_STOP_PREFIX}{robot_id}"


class LongPolls:
    """All long polls of a process."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        SNAPSHOT.on_change = self._notify_stop
        SNAPSHOT.on_command = lambda robot_id: self._notify(channels.command_channel(robot_id))
        self.listener = realtime.Listener(["wake:*"], self.receive)
        self._closing = asyncio.Event()

    @property
    def waiting(self) -> int:
        """On how many channels polls wait: one for each robot and kind of poll."""
        return len(self._waiting)

    async def wait_for(
        self, channel: str, wait: float, fetch: Callable[[], Coroutine[Any, Any, T | None]]
    ) -> T | None:
        """Call `fetch` now and at each message on the channel until it returns a value.

        None after `wait` seconds, or when the service stops.
        """
        until = asyncio.get_running_loop().time() + wait
        with self._subscribe(channel) as notified:
            while True:
                notified.clear()
                found = await fetch()
                if found is not None or not await self._wait(notified, until):
                    return found

    @contextmanager
    def _subscribe(self, channel: str) -> Iterator[asyncio.Event]:
        notified = asyncio.Event()
        self._waiting.setdefault(channel, set()).add(notified)
        try:
            yield notified
        finally:
            self._waiting[channel].discard(notified)
            if not self._waiting[channel]:
                del self._waiting[channel]

    async def _wait(self, notified: asyncio.Event, until: float) -> bool:
        left = until - asyncio.get_running_loop().time()
        if left <= 0 or self._closing.is_set():
            return False
        try:
            await asyncio.wait_for(notified.wait(), left)
        except TimeoutError:
            return False
        return not self._closing.is_set()

    def receive(self, channel: str, body: bytes) -> None:
        """Handle a message of another process; it makes this one read again, and no more."""
        if channel == channels.STOP_LATCHES:
            SNAPSHOT.expire()
        elif channel == channels.BRIDGE_SESSIONS:
            SNAPSHOT.forget_robot(UUID(body.decode()))
        else:
            SNAPSHOT.forget_robot(channels.robot_of(channel))
            self._notify(channel)

    def _notify(self, channel: str) -> None:
        for notified in self._waiting.get(channel, ()):
            notified.set()

    def _notify_stop(self, latch_id: UUID) -> None:
        if latch_id != FLEET_LATCH:
            self._notify(stop_key(latch_id))
            return
        for channel in [key for key in self._waiting if key.startswith(_STOP_PREFIX)]:
            self._notify(channel)

    async def refresh_snapshot(self) -> None:
        """Read stops and waiting commands regularly while bridges poll; more often without Redis.

        Notifies polls whose message was lost.
        """
        while not self._closing.is_set():
            connected = self.listener.connected.is_set()
            await asyncio.sleep(_INTERVAL if connected else _INTERVAL_WITHOUT_REDIS)
            if self._waiting or SNAPSHOT.is_used:
                with suppress(SQLAlchemyError, OSError):
                    await SNAPSHOT.refresh()

    def close(self) -> None:
        """End all polls: the service stops."""
        self._closing.set()
        for channel in list(self._waiting):
            self._notify(channel)

    def open(self) -> None:
        self._closing.clear()


LONG_POLLS = LongPolls()
