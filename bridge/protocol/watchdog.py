"""The dead man: a robot that moves and has not heard LUNA for 3 s stops by itself."""

import asyncio
from collections.abc import Awaitable, Callable

from bridge.logs import Log
from bridge.motion.motion_controller import MotionController
from bridge.protocol.heartbeat import Heartbeat
from bridge.protocol.link_monitor import LinkMonitor

NO_CONTACT = "no contact with LUNA"


class Watchdog:
    """Pauses the drive after `limit` seconds of silence.

    It goes on when LUNA has answered a heartbeat (so a stop given meanwhile is known) and then
    `still_mine` has shown that the command was not given to another meanwhile.
    """

    def __init__(
        self,
        helm: MotionController,
        contact: LinkMonitor,
        heartbeat: Heartbeat,
        still_mine: Callable[[], Awaitable[None]],
        log: Log,
    ) -> None:
        self._helm = helm
        self._contact = contact
        self._heartbeat = heartbeat
        self._still_mine = still_mine
        self._log = log

    async def watch(self, limit: float) -> None:
        while True:
            await self._helm.begun()
            left = limit - self._contact.silence
            if left > 0:
                await asyncio.sleep(left)
            else:
                await self._pause_until_sure()

    async def _pause_until_sure(self) -> None:
        await self._helm.hold(NO_CONTACT)
        silence = round(self._contact.silence, 1)
        self._log.warning("deadman.paused", silence_s=silence)
        await self._heartbeat.next_answer()
        await self._still_mine()
        await self._helm.release(NO_CONTACT)
        self._log.info("deadman.released", driving=self._helm.driving)
