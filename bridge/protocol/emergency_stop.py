"""The emergency stop: its own line, always open, in front of everything else."""

import asyncio
from collections.abc import Callable

from bridge.logs import Log
from bridge.messages import MalformedError, StopOrder, stop_order_from
from bridge.motion.motion_controller import MotionController
from bridge.protocol.client import (
    ApiClient,
    DeclinedError,
    KeyRefusedError,
    SupersededError,
    UnreachableError,
)
from bridge.protocol.long_poll import LongPoll


class StopWatch:
    """Learns of stops from the long poll and from heartbeat answers; obeys the newest version."""

    def __init__(self, helm: MotionController, poll: LongPoll, posts: ApiClient, log: Log) -> None:
        self._helm = helm
        self._poll = poll
        self._posts = posts
        self._log = log
        self._told_by_poll = False
        self._unacknowledged = asyncio.Event()
        self.version = 0
        self.changed: Callable[[], None] = lambda: None

    async def listen(self) -> None:
        """Keep the long poll open for ever."""
        while True:
            data = await self._poll.ask("/stop", {"after": self.version})
            if data is None:
                continue
            try:
                await self.heard_from_poll(stop_order_from(data))
            except MalformedError as error:
                await self._poll.not_understood(error)

    async def heard_from_poll(self, order: StopOrder) -> None:
        if order.version < self.version:
            return
        self._told_by_poll = True
        await self._obey(order)

    async def heard_from_heartbeat(self, order: StopOrder, known_when_asked: int) -> None:
        """An answer may be older than what the poll has said since; then it does not count.

        Older than what was known when the heartbeat left, it means that LUNA itself went back
        (restored from a backup): LUNA's word counts again.
        """
        went_back = order.version < known_when_asked
        if order.version < self.version and not went_back:
            return
        newer = order.version != self.version
        if newer:
            self._told_by_poll = False
        resumes = not order.stopped and self._helm.stopped is True
        if resumes and self._told_by_poll:
            return  # the poll said stopped under this very version; only a newer one resumes
        await self._obey(order)

    async def _obey(self, order: StopOrder) -> None:
        news = order.version != self.version or order.stopped != self._helm.stopped
        first = self._helm.stopped is None
        missed = not order.stopped and order.version > self.version
        self.version = order.version
        if not news:
            return
        if missed and self._helm.stopped is False:
            await self._helm.stop()  # stopped and resumed between two looks: what was told is void
        if order.stopped:
            braking = asyncio.ensure_future(self._helm.stop())
            self._unacknowledged.set()
            self._log.warning("stop.received", stop_version=order.version, reason=order.reason)
            await braking
        else:
            await self._helm.release_stop()
            if first:
                return
            self._log.info("stop.released", stop_version=order.version)
        self.changed()

    async def acknowledge(self) -> None:
        """Tell LUNA of each stop twice: received, and standing by the odometry; never sooner."""
        while True:
            await self._unacknowledged.wait()
            self._unacknowledged.clear()
            version = self.version
            received = asyncio.ensure_future(self._post(version, "RECEIVED"))
            await self._helm.standstill()
            self._log.info("stop.standing", stop_version=version)
            await received
            await self._post(version, "MOTION_STOPPED")

    async def _post(self, version: int, kind: str) -> None:
        body = {"stop_version": version, "type": kind, "speed": round(self._helm.state.speed, 3)}
        while version == self.version:
            try:
                await self._posts.call("POST", "/stop/events", body)
            except (UnreachableError, KeyRefusedError, SupersededError) as error:
                await self._posts.recover(error)
            except DeclinedError as error:
                self._log.warning("stop.event_declined", type=kind, reason=str(error))
                return
            else:
                return
