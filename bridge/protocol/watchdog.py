"""Pauses a moving robot that has had no response, or none to a heartbeat, for 3 s."""

import asyncio
from collections.abc import Awaitable, Callable

from bridge.logs import Log
from bridge.motion.motion_controller import MotionController
from bridge.protocol.heartbeat import Heartbeat
from bridge.protocol.link_monitor import LinkMonitor

NO_CONNECTION = "no connection to LUNA"


class Watchdog:
    """Pauses the drive after `limit` seconds of silence.

    Responses to reports and polls alone are not enough: only a heartbeat's says that LUNA knows
    where the robot is, and whether it is to stop. The drive continues when LUNA has answered a
    heartbeat (so a stop is known) and then `confirm_command` has confirmed that the command is
    still leased to this bridge.
    """

    def __init__(
        self,
        controller: MotionController,
        link: LinkMonitor,
        heartbeat: Heartbeat,
        confirm_command: Callable[[], Awaitable[None]],
        log: Log,
    ) -> None:
        self._controller = controller
        self._link = link
        self._heartbeat = heartbeat
        self._confirm_command = confirm_command
        self._log = log

    @property
    def _silence(self) -> float:
        return max(self._link.silence, self._heartbeat.silence)

    async def watch(self, limit: float) -> None:
        while True:
            await self._controller.wait_for_motion()
            left = limit - self._silence
            if left > 0:
                await asyncio.sleep(left)
            else:
                await self._pause_until_confirmed()

    async def _pause_until_confirmed(self) -> None:
        await self._controller.hold(NO_CONNECTION)
        silence = round(self._silence, 1)
        self._log.warning("watchdog.paused", silence_s=silence)
        await self._heartbeat.next_response()
        await self._confirm_command()
        await self._controller.release(NO_CONNECTION)
        self._log.info("watchdog.released", driving=self._controller.driving)
