"""The only caller of the driver's motions: a stop overrides a hold, a hold pauses a drive.

The watchdog, the emergency stop and the commands all act through it, so that no order of their
calls can leave the robot moving against one of them.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from bridge.drivers.base import Driver, RobotState
from bridge.logs import Log

STANDSTILL_M_S = 0.0005  # rounds to 0.000 m/s in reports
ODOMETRY_INTERVAL_S = 0.02  # while braking
BRAKE_INTERVAL_S = 0.5  # repeat while the robot still moves

PAUSE_COMMAND = "pause command"


class HaltedError(Exception):
    """The motion was ended from outside before it was complete."""


class MotionController:
    """`stopped` is None until LUNA has reported the stop state; None forbids motion too."""

    def __init__(self, driver: Driver, log: Log) -> None:
        self._driver = driver
        self._log = log
        self._motion: asyncio.Task[None] | None = None
        self._holds: set[str] = set()
        self._released = asyncio.Event()
        self._motion_started = asyncio.Event()
        self.stopped: bool | None = None
        self.stops = 0  # number of stops: a command from before a stop must not run after it

    @property
    def state(self) -> RobotState:
        return self._driver.state()

    @property
    def driving(self) -> bool:
        """Whether a motion is under way, paused or not."""
        return self._motion is not None

    @property
    def moving(self) -> bool:
        """Whether the robot moves, or may start to at any moment."""
        return self.driving or abs(self.state.speed) > STANDSTILL_M_S

    @property
    def holds(self) -> frozenset[str]:
        return frozenset(self._holds)

    async def drive(self, motion: Coroutine[Any, Any, None]) -> None:
        """Run a motion to its end; raises HaltedError when a stop or halt ended it first."""
        if self.stopped is not False or self._motion is not None:
            motion.close()
            raise HaltedError
        self._motion = task = asyncio.create_task(motion)
        self._motion_started.set()
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
        """Brake now and refuse motion until `release_stop`."""
        self.stopped = True
        self.stops += 1
        self._released.clear()
        await self._brake()

    async def release_stop(self) -> None:
        """Allow motion for new commands; also ends a pause by command."""
        self.stopped = False
        self._released.set()
        await self.release(PAUSE_COMMAND)

    async def wait_until_released(self, seconds: float) -> bool:
        """Wait at most `seconds` for the release; whether the robot may move."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._released.wait()
        return self.stopped is False

    async def halt(self) -> None:
        """End the current motion and wait for standstill; new motions may follow."""
        await self._brake()
        await self.standstill()

    async def hold(self, reason: str) -> None:
        """Pause for this reason; the robot continues when no reason is left."""
        if reason not in self._holds:
            self._holds.add(reason)
            await self._driver.pause()

    async def release(self, reason: str) -> None:
        if reason in self._holds:
            self._holds.remove(reason)
            if not self._holds:
                await self._driver.resume()

    async def wait_for_motion(self) -> None:
        """Wait until a motion is under way."""
        while self._motion is None:
            self._motion_started.clear()
            await self._motion_started.wait()

    async def standstill(self) -> None:
        """Wait until odometry reports 0, braking again while the robot still moves.

        Also returns when a newer drive has started: it started from standstill.
        """
        elapsed = 0.0
        while abs(self.state.speed) > STANDSTILL_M_S and not self._is_driving():
            await asyncio.sleep(ODOMETRY_INTERVAL_S)
            elapsed += ODOMETRY_INTERVAL_S
            if elapsed >= BRAKE_INTERVAL_S:
                elapsed = 0.0
                self._log.error("robot.still_moving", speed=self.state.speed)
                await (self._driver.stop() if self._motion is None else self._driver.pause())

    def _is_driving(self) -> bool:
        return self._motion is not None and not self._holds

    async def _brake(self) -> None:
        motion, self._motion = self._motion, None
        if motion is not None:
            motion.cancel()
        await self._driver.stop()
