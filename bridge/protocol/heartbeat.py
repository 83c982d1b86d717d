"""Heartbeats: once a second while moving; the response can stop the robot."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from bridge.logs import Log
from bridge.messages import Json, MalformedError, StopOrder, integer, mapping, text
from bridge.motion.motion_controller import MotionController
from bridge.protocol.client import ApiClient, DeclinedError, UnreachableError
from bridge.protocol.emergency_stop import StopListener
from bridge.timeouts import Timeouts

PAUSED_BY_LUNA = "requested by LUNA"


class Heartbeat:
    """Sends heartbeats; `nudge` sends the next one at once."""

    def __init__(
        self,
        client: ApiClient,
        controller: MotionController,
        stop: StopListener,
        epoch: int,
        timeouts: Timeouts,
        log: Log,
    ) -> None:
        self._client = client
        self._controller = controller
        self._stop = stop
        self._epoch = epoch
        self._timeout = timeouts.heartbeat_timeout
        self._log = log
        self._seq = 0
        self._nudged = asyncio.Event()
        self._response_applied = asyncio.Event()
        self._unanswered_since: float | None = None
        self.active_command: Callable[[], str | None] = lambda: None

    def nudge(self) -> None:
        self._nudged.set()

    @property
    def silence(self) -> float:
        """Seconds since the first heartbeat was sent that has no usable answer; 0 without one."""
        since = self._unanswered_since
        return 0.0 if since is None else time.monotonic() - since

    async def next_response(self) -> None:
        """Wait until LUNA has answered a heartbeat and the response has been applied."""
        await self._response_applied.wait()

    async def beat(self, moving_interval: float, idle_interval: float) -> None:
        """Send forever: at once, then at the interval in seconds, or when nudged."""
        while True:
            self._nudged.clear()
            known = self._stop.version
            if self._unanswered_since is None:
                self._unanswered_since = time.monotonic()
            try:
                answer = await self._client.call(
                    "POST", "/heartbeat", self._body(), timeout=self._timeout
                )
                await self._apply(answer, known)
            except (UnreachableError, DeclinedError) as error:
                await self._client.recover(error)
                continue
            except MalformedError as error:
                self._log.error("heartbeat.malformed_response", reason=str(error))
            else:
                self._unanswered_since = None
                self._response_applied.set()
                self._response_applied = asyncio.Event()
            interval = moving_interval if self._controller.moving else idle_interval
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(interval):
                    await self._nudged.wait()

    def _body(self) -> Json:
        self._seq += 1
        state = self._controller.state
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
            "errors": [*state.errors, *self._warnings()],
            "sensors": state.sensors,
            "stop_version": self._stop.version,
        }

    def _warnings(self) -> list[Json]:
        return [
            {"type": "PAUSED", "level": "WARNING", "message": f"The robot is paused: {reason}."}
            for reason in sorted(self._controller.holds)
        ]

    async def _apply(self, data: object, known: int) -> None:
        answer = mapping(data, "heartbeat answer")
        desired = text(answer, "desired")
        order = StopOrder(integer(answer, "stop_version"), stopped=desired == "STOP")
        await self._stop.apply_heartbeat(order, known)
        if desired == "PAUSE":
            await self._controller.hold(PAUSED_BY_LUNA)
        elif desired == "RUN":
            await self._controller.release(PAUSED_BY_LUNA)
