"""Long polls: notified through Redis within milliseconds, and correct without it.

One Redis subscription and one periodic database check per process serve all waiting polls, so a
fleet of two hundred idle robots costs one small query every few seconds.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.robot.bridge_protocol.fleet_snapshot import SNAPSHOT
from backend.shared.infra import async_database
from backend.shared.messaging import channels, realtime
from backend.shared.models import FLEET_LATCH, CommandStatus, RobotCommand

T = TypeVar("T")
_CHECK_INTERVAL = 5.0  # seconds
_CHECK_INTERVAL_WITHOUT_REDIS = 1.0
_STOP_INTERVAL = 0.5
_STOP_INTERVAL_WITHOUT_REDIS = 0.2
_STOP_PREFIX = "stop:"


def stop_key(robot_id: UUID) -> str:
    """Name what the stop poll of a robot waits for."""
    return f"{_STOP_PREFIX}{robot_id}"


class LongPolls:
    """All long polls of a process."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        SNAPSHOT.on_change = self._notify_stop
        self.listener = realtime.Listener(["wake:*"], self.receive)
        self._closing = asyncio.Event()

    @property
    def is_waiting(self) -> bool:
        """Whether a poll is open."""
        return bool(self._waiting)

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
        """Handle a message of another process."""
        if channel == channels.STOP_LATCHES:
            SNAPSHOT.receive(body)
        elif channel == channels.BRIDGE_SESSIONS:
            SNAPSHOT.forget_robot(UUID(body.decode()))
        else:
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

    async def refresh_stops(self) -> None:
        """Read the stop latches again and again while bridges poll; more often without Redis."""
        while not self._closing.is_set():
            connected = self.listener.connected.is_set()
            await asyncio.sleep(_STOP_INTERVAL if connected else _STOP_INTERVAL_WITHOUT_REDIS)
            if self._waiting or SNAPSHOT.is_used:
                with suppress(SQLAlchemyError, OSError):
                    await SNAPSHOT.refresh()

    async def check_database(self) -> None:
        """Notify polls whose message from Redis was lost; more often while Redis is down."""
        while not self._closing.is_set():
            connected = self.listener.connected.is_set()
            await asyncio.sleep(_CHECK_INTERVAL if connected else _CHECK_INTERVAL_WITHOUT_REDIS)
            if self._waiting:
                with suppress(SQLAlchemyError, OSError):
                    for channel in await async_database.run(self._due_channels):
                        self._notify(channel)

    def _due_channels(self, session: Session) -> list[str]:
        return [
            channels.command_channel(robot_id)
            for robot_id in session.execute(
                select(RobotCommand.robot_id).where(RobotCommand.status == CommandStatus.QUEUED)
            ).scalars()
        ]

    def close(self) -> None:
        """End all polls: the service stops."""
        self._closing.set()
        for channel in list(self._waiting):
            self._notify(channel)

    def open(self) -> None:
        self._closing.clear()


LONG_POLLS = LongPolls()
