"""Long polls: woken by Redis in milliseconds, and correct without it.

One subscription and one safety look a process serve all waiting polls, so that a quiet fleet of
two hundred costs the database one small query each few seconds.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.shared.infra import async_database
from backend.shared.messaging import channels, realtime
from backend.shared.models import CommandStatus, Robot, RobotCommand

_LOOK_SECONDS = 5.0
_LOOK_SECONDS_ALONE = 1.0  # while Redis is away


class Polls:
    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._stops: dict[str, int] = {}
        self.listener = realtime.Listener(["wake:*"], self._deliver)
        self._closing = asyncio.Event()

    def _deliver(self, channel: str, _body: bytes) -> None:
        for woken in self._waiting.get(channel, ()):
            woken.set()

    @contextmanager
    def waiting(self, channel: str) -> Iterator[asyncio.Event]:
        """An event that is set when something comes on the channel."""
        woken = asyncio.Event()
        self._waiting.setdefault(channel, set()).add(woken)
        try:
            yield woken
        finally:
            self._waiting[channel].discard(woken)
            if not self._waiting[channel]:
                del self._waiting[channel]

    async def wait(self, woken: asyncio.Event, until: float) -> bool:
        """Wait to be woken; False when the time is over or the service stops."""
        left = until - asyncio.get_running_loop().time()
        if left <= 0 or self._closing.is_set():
            return False
        try:
            await asyncio.wait_for(woken.wait(), left)
        except TimeoutError:
            return False
        return not self._closing.is_set()

    async def look(self) -> None:
        """Wake whatever has something waiting in the database, again and again."""
        while not self._closing.is_set():
            connected = self.listener.connected.is_set()
            await asyncio.sleep(_LOOK_SECONDS if connected else _LOOK_SECONDS_ALONE)
            if self._waiting:
                with suppress(SQLAlchemyError, OSError):
                    for channel in await async_database.run(self._due):
                        self._deliver(channel, b"")

    def _due(self, session: Session) -> list[str]:
        due = [
            channels.command_channel(robot_id)
            for robot_id in session.execute(
                select(RobotCommand.robot_id).where(RobotCommand.status == CommandStatus.QUEUED)
            ).scalars()
        ]
        for robot_id, version in session.execute(select(Robot.id, Robot.stop_version)):
            channel = channels.stop_channel(robot_id)
            if self._stops.get(channel) != version:
                self._stops[channel] = version
                due.append(channel)
        return due

    def close(self) -> None:
        """End all waits: the service stops."""
        self._closing.set()
        for channel in list(self._waiting):
            self._deliver(channel, b"")

    def open(self) -> None:
        self._closing.clear()


POLLS = Polls()
