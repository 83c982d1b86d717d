"""The emergency stop: its own long poll, which is always open."""

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


class StopListener:
    """Receives stops through the long poll and heartbeats; applies the newest version."""

    def __init__(
        self, controller: MotionController, poll: LongPoll, client: ApiClient, log: Log
    ) -> None:
        self._controller = controller
        self._poll = poll
        self._client = client
        self._log = log
        self._version_from_poll = False
        self._unconfirmed = asyncio.Event()
        self.version = 0
        self.changed: Callable[[], None] = lambda: None

    async def listen(self) -> None:
        """Keep the long poll open forever."""
        while True:
            data = await self._poll.ask("/stop", {"after": self.version})
            if data is None:
                continue
            try:
                await self.apply_poll(stop_order_from(data))
            except MalformedError as error:
                await self._poll.back_off(error)

    async def apply_poll(self, order: StopOrder) -> None:
        if order.version < self.version:
            return
        self._version_from_poll = True
        await self._apply(order)

    async def apply_heartbeat(self, order: StopOrder, known_when_asked: int) -> None:
        """Apply the response to a heartbeat, unless the poll has returned a newer version since.

        A version older than `known_when_asked` means that LUNA was restored from a backup: it is
        applied.
        """
        was_restored = order.version < known_when_asked
        if order.version < self.version and not was_restored:
            return
        newer = order.version != self.version
        if newer:
            self._version_from_poll = False
        resumes = not order.stopped and self._controller.stopped is True
        if resumes and self._version_from_poll:
            return  # the poll returned a stop of this version; only a newer one resumes
        await self._apply(order)

    async def _apply(self, order: StopOrder) -> None:
        is_new = order.version != self.version or order.stopped != self._controller.stopped
        first = self._controller.stopped is None
        missed = not order.stopped and order.version > self.version
        self.version = order.version
        if not is_new:
            return
        if missed and self._controller.stopped is False:
            await self._controller.stop()  # stopped and resumed since: earlier commands are void
        if order.stopped:
            braking = asyncio.ensure_future(self._controller.stop())
            self._unconfirmed.set()
            self._log.warning("stop.received", stop_version=order.version, reason=order.reason)
            await braking
        else:
            await self._controller.release_stop()
            if first:
                return
            self._log.info("stop.released", stop_version=order.version)
        self.changed()

    async def confirm(self) -> None:
        """Confirm each stop twice: RECEIVED at once, MOTION_STOPPED when odometry reports 0."""
        while True:
            await self._unconfirmed.wait()
            self._unconfirmed.clear()
            version = self.version
            received = asyncio.ensure_future(self._post(version, "RECEIVED"))
            await self._controller.standstill()
            self._log.info("stop.standstill", stop_version=version)
            await received
            await self._post(version, "MOTION_STOPPED")

    async def _post(self, version: int, kind: str) -> None:
        body = {
            "stop_version": version,
            "type": kind,
            "speed": round(self._controller.state.speed, 3),
        }
        while version == self.version:
            try:
                await self._client.call("POST", "/stop/events", body)
            except (UnreachableError, KeyRefusedError, SupersededError) as error:
                await self._client.recover(error)
            except DeclinedError as error:
                self._log.warning("stop.confirmation_declined", type=kind, reason=str(error))
                return
            else:
                return
