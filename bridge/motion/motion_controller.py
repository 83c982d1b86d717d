"""The only one who moves the robot: a stop beats everything, a hold pauses, a drive needs neither.

The watchdog, the emergency stop and the commands all act through here, so that no order of their
calls can leave the robot moving against one of them.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from bridge.drivers.base import Driver, RobotState
from bridge.logs import Log

STILL_M_S = 0.0005  # what is told as 0.000 m/s
LOOK_S = 0.02  # between two looks at the odometry while braking
BRAKE_AGAIN_S = 0.5  # a robot that still rolls is told again this often

TOLD_TO_PAUSE = "told to pause"


class HaltedError(Exception):
    """The motion was ended from outside before it was done."""


class MotionController:
    """`stopped` is None until LUNA has said whether the robot may move; None forbids motion too."""

    def __init__(self, driver: Driver, log: Log) -> None:
        self._driver = driver
        self._log = log
        self._motion: asyncio.Task[None] | None = None
        self._holds: set[str] = set()
        self._released = asyncio.Event()
        self._began = asyncio.Event()
        self.stopped: bool | None = None
        self.stops = 0  # counts the stops: what was told before one must not be done after it

    @property
    def state(self) -> RobotState:
        return self._driver.state()

    @property
    def driving(self) -> bool:
        """A motion is under way, be it paused."""
        return self._motion is not None

    @property
    def moving(self) -> bool:
        """The robot rolls, or may begin to at any moment."""
        return self.driving or abs(self.state.speed) > STILL_M_S

    @property
    def holds(self) -> frozenset[str]:
        return frozenset(self._holds)

    async def drive(self, motion: Coroutine[Any, Any, None]) -> None:
        """Carry a motion out to its end; raises HaltedError when stop or halt ended it first."""
        if self.stopped is not False or self._motion is not None:
            motion.close()
            raise HaltedError
        self._motion = task = asyncio.create_task(motion)
        self._began.set()
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            if self._motion is task:
                self._motion = None
        if task.cancelled():
            raise HaltedError
        task.result()

    async def stop(self) -> None:
        """Brake now and let nothing move until `release_stop`."""
        self.stopped = True
        self.stops += 1
        self._released.clear()
        await self._brake()

    async def release_stop(self) -> None:
        """The robot may move again, when it is told to anew; a pause by command is void too."""
        self.stopped = False
        self._released.set()
        await self.release(TOLD_TO_PAUSE)

    async def may_move(self, patience: float) -> bool:
        """True once the robot is not stopped; waits at most `patience` seconds for the release."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._released.wait()
        return self.stopped is False

    async def halt(self) -> None:
        """End the present motion and wait until the robot stands; new ones may follow."""
        await self._brake()
        await self.standstill()

    async def hold(self, reason: str) -> None:
        """Pause for this reason; the robot goes on when no reason is left."""
        if reason not in self._holds:
            self._holds.add(reason)
            await self._driver.pause()

    async def release(self, reason: str) -> None:
        if reason in self._holds:
            self._holds.remove(reason)
            if not self._holds:
                await self._driver.resume()

    async def begun(self) -> None:
        """Wait for a motion to be under way."""
        while self._motion is None:
            self._began.clear()
            await self._began.wait()

    async def standstill(self) -> None:
        """Wait until the odometry says 0; a robot that rolls on is told to brake again.

        Also returns when a newer drive has begun: it began from standing.
        """
        waited = 0.0
        while abs(self.state.speed) > STILL_M_S and not self._drives_freely():
            await asyncio.sleep(LOOK_S)
            waited += LOOK_S
            if waited >= BRAKE_AGAIN_S:
                waited = 0.0
                self._log.alarm("robot.still_moving", speed=self.state.speed)
                await (self._driver.stop() if self._motion is None else self._driver.pause())

    def _drives_freely(self) -> bool:
        return self._motion is not None and not self._holds

    async def _brake(self) -> None:
        motion, self._motion = self._motion, None
        if motion is not None:
            motion.cancel()
        await self._driver.stop()
