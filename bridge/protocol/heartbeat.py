"""How the robot is, told LUNA once a second while moving; the answer can stop it."""

import asyncio
import contextlib
from collections.abc import Callable

from bridge.logs import Log
from bridge.messages import Json, MalformedError, StopOrder, integer, mapping, text
from bridge.motion.motion_controller import MotionController
from bridge.protocol.client import ApiClient, DeclinedError, UnreachableError
from bridge.protocol.emergency_stop import StopWatch
from bridge.timeouts import Timeouts

PAUSED_BY_LUNA = "LUNA asks for it"


class Heartbeat:
    """`nudge` sends the next one at once: something changed."""

    def __init__(
        self,
        line: ApiClient,
        helm: MotionController,
        stop: StopWatch,
        epoch: int,
        timing: Timeouts,
        log: Log,
    ) -> None:
        self._line = line
        self._helm = helm
        self._stop = stop
        self._epoch = epoch
        self._timeout = timing.heartbeat_timeout
        self._log = log
        self._seq = 0
        self._nudged = asyncio.Event()
        self._answered = asyncio.Event()
        self.active_command: Callable[[], str | None] = lambda: None

    def nudge(self) -> None:
        self._nudged.set()

    async def next_answer(self) -> None:
        """Wait until LUNA has answered a heartbeat and its answer has been obeyed."""
        await self._answered.wait()

    async def beat(self, moving_interval: float, idle_interval: float) -> None:
        """Send for ever: at once, then each so many seconds, sooner when nudged."""
        while True:
            self._nudged.clear()
            known = self._stop.version
            try:
                answer = await self._line.call(
                    "POST", "/heartbeat", self._body(), timeout=self._timeout
                )
                await self._obey(answer, known)
            except (UnreachableError, DeclinedError) as error:
                await self._line.recover(error)
                continue
            except MalformedError as error:
                self._log.alarm("heartbeat.answer_odd", reason=str(error))
            self._answered.set()
            self._answered = asyncio.Event()
            interval = moving_interval if self._helm.moving else idle_interval
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(interval):
                    await self._nudged.wait()

    def _body(self) -> Json:
        self._seq += 1
        state = self._helm.state
        return {
            "epoch": self._epoch,
            "seq": self._seq,
            "pose": state.pose.as_json(),
            "waypoint": state.waypoint,
            "battery": round(state.battery, 4),
            "charging": state.charging,
            "docked": state.docked,
            "speed": round(state.speed, 3),
            "safety": {
                "emergency_stop": state.emergency_stop,
                "bumper": state.bumper,
                "obstacle": state.obstacle,
            },
            "active_command": self.active_command(),
            "errors": [*state.errors, *self._own_warnings()],
            "sensors": state.sensors,
        }

    def _own_warnings(self) -> list[Json]:
        return [
            {"type": "PAUSED", "level": "WARNING", "message": f"The robot is paused: {hold}."}
            for hold in sorted(self._helm.holds)
        ]

    async def _obey(self, data: object, known: int) -> None:
        answer = mapping(data, "heartbeat answer")
        desired = text(answer, "desired")
        order = StopOrder(integer(answer, "stop_version"), stopped=desired == "STOP")
        await self._stop.heard_from_heartbeat(order, known)
        if desired == "PAUSE":
            await self._helm.hold(PAUSED_BY_LUNA)
        elif desired == "RUN":
            await self._helm.release(PAUSED_BY_LUNA)
