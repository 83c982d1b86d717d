"""Drives a TurtleBot 4 through Nav2, and believes nothing that its sensors do not confirm.

An accepted goal is no proof of motion, a finished one no proof of arrival, a cancelled one no proof
of standstill, and an undocking may never return: each has a time limit of this driver's own and is
compared with odometry, position and dock sensor.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, TypeVar

from bridge.drivers.base import DriveFailedError, DriveRefusedError, RobotState
from bridge.drivers.nav2 import conditions
from bridge.drivers.nav2.alignment import Alignment
from bridge.drivers.nav2.battery import BatteryFilter
from bridge.drivers.nav2.ports import Base, Navigator, Outcome, Reading
from bridge.messages import Json, Pose, Waypoint

STANDSTILL_M_S = 0.005
FULL = 0.95  # of the battery: the base may stop charging from here on
PASSED_M = 0.6  # a waypoint counts as passed within this distance
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits in seconds, distances in metres, speeds in metres per second."""

    call: float = 5.0  # of one call of the navigator
    start: float = 10.0  # from an accepted goal to its first feedback
    stall: float = 60.0  # without getting ahead
    docking: float = 90.0
    undocking: float = 30.0
    cancel: float = 2.0  # from a cancellation to the end of the goal
    pose_age: float = 3.0
    odometry_age: float = 1.0
    charging: float = 60.0  # from docking to a current
    arrival: float = 0.8  # between the target and where Nav2 says that it arrived
    progress: float = 0.1
    max_speed: float = 0.26
    interval: float = 0.1  # between two looks


class Nav2Driver:
    """See Driver. The navigator's calls run in one thread, one at a time."""

    capabilities: ClassVar[Json] = {"pause": True, "carry": 1, "say": False}

    def __init__(
        self, navigator: Navigator, base: Base, alignment: Alignment, limits: Limits | None = None
    ) -> None:
        self._navigator = navigator
        self._base = base
        self._alignment = alignment
        self._limits = limits or Limits()
        self._thread = ThreadPoolExecutor(1, "navigator")
        self._battery = BatteryFilter()
        self._is_stuck = False  # a call of the navigator has not returned
        self._has_goal = False  # Nav2 may still execute one
        self._stops = self._pauses = 0
        self._running = asyncio.Event()  # cleared while paused
        self._running.set()
        self._remaining_m = 0.0
        self._docked_since: float | None = None
        self._last_pose: Pose | None = None
        self._target: Waypoint | None = None  # of the newest drive

    def state(self) -> RobotState:
        reading, now = self._base.read(), time.monotonic()
        if reading.pose is not None:
            self._last_pose = self._alignment.to_luna(reading.pose)
        battery = self._battery.update(reading.battery, now)
        self._docked_since = (self._docked_since or now) if reading.docked else None
        return RobotState(
            pose=self._last_pose or Pose(0.0, 0.0, 0.0, self._alignment.floor),
            waypoint=self._waypoint(reading),
            battery=battery,
            charging=reading.docked and reading.current > 0,
            docked=reading.docked,
            speed=self._speed(reading),
            remaining_m=self._remaining_m,
            emergency_stop=reading.button,
            bumper=reading.bumper,
            obstacle=reading.obstacle,
            errors=tuple(self._errors(reading, now)),
            sensors={"current": round(reading.current, 3), "localized": self._localized(reading)},
        )

    async def navigate(self, route: Sequence[Waypoint]) -> None:
        if not route:
            return
        self._ensure_fit()
        self._target = route[-1]
        if any(point.pose.floor != self._alignment.floor for point in route):
            raise DriveRefusedError("The route leaves the floor of this robot's map.")
        await self._end_earlier_goal()
        if self._base.read().docked:
            await self.undock()
        left = list(route)
        try:
            while left:
                await self._running.wait()
                left = await self._follow(left)
        finally:
            self._remaining_m = 0.0
            if self._has_goal:
                await self.stop()
        self._ensure_arrived(route[-1])

    async def dock(self, waypoint: Waypoint) -> None:
        if self._base.read().docked:
            return
        self._target = waypoint
        self._ensure_fit()
        await self._end_earlier_goal()
        await self._act(self._navigator.start_docking, self._limits.docking, docked=True)

    async def undock(self) -> None:
        if not self._base.read().docked:
            return
        self._ensure_fit()
        await self._act(self._navigator.start_undocking, self._limits.undocking, docked=False)

    async def stop(self) -> None:
        """Brake by the base itself first: Nav2 may ignore the cancellation."""
        self._stops += 1
        self._base.brake()
        with suppress(DriveFailedError):
            await self._cancel()

    async def pause(self) -> None:
        self._pauses += 1
        self._running.clear()
        self._base.brake()
        with suppress(DriveFailedError):
            await self._cancel()

    async def resume(self) -> None:
        self._running.set()

    async def close(self) -> None:
        self._base.brake()
        self._base.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _follow(self, left: list[Waypoint]) -> list[Waypoint]:
        """Drive towards the last waypoint; return what is left when paused, else nothing."""
        stops, pauses = self._stops, self._pauses
        await self._send(left)
        moved = time.monotonic()
        best = self._metres_along(left)
        while not await self._call(self._navigator.is_complete):
            if self._stops != stops:
                raise DriveFailedError("The robot was stopped before the target.")
            if self._pauses != pauses:
                return left
            left = self._ahead(left)
            self._remaining_m = ahead = self._metres_along(left)
            if ahead < best - self._limits.progress:
                best, moved = ahead, time.monotonic()
            elif time.monotonic() - moved > self._limits.stall:
                raise DriveFailedError(f"PATH_BLOCKED: no progress towards {left[0].name}.")
            await asyncio.sleep(self._limits.interval)
        self._has_goal = False
        if self._pauses != pauses:
            return left
        outcome = await self._call(self._navigator.outcome)
        if outcome is not Outcome.SUCCEEDED:
            raise DriveFailedError(f"Nav2 ended the drive to {left[-1].name} as {outcome.value}.")
        return []

    async def _send(self, left: Sequence[Waypoint]) -> None:
        """Send a goal; return when its first feedback shows that Nav2 executes it."""
        self._base.release()
        self._base.limit_speed(self._limits.max_speed)
        poses = [self._alignment.to_ros(point.pose) for point in left]
        self._has_goal = True
        if not await self._call(lambda: self._navigator.go(poses)):
            self._has_goal = False
            raise DriveFailedError("Nav2 rejected the goal.")
        if not await self._until(self._is_started, self._limits.start):
            raise DriveFailedError("Nav2 accepted the goal, but did not begin to execute it.")

    async def _is_started(self) -> bool:
        return await self._call(self._navigator.has_feedback) or await self._call(
            self._navigator.is_complete
        )

    async def _cancel(self) -> None:
        """Cancel the goal; it still counts as active while Nav2 does not confirm its end."""
        if self._has_goal:
            await self._call(self._navigator.cancel)
            ended = await self._until(
                lambda: self._call(self._navigator.is_complete), self._limits.cancel
            )
            self._has_goal = not ended

    async def _end_earlier_goal(self) -> None:
        await self._cancel()
        if self._has_goal:
            raise DriveRefusedError("Nav2 still executes an earlier goal that it was told to end.")

    async def _act(self, start: Callable[[], bool], limit: float, *, docked: bool) -> None:
        """Dock or undock until the dock sensor confirms it."""
        name = "docking" if docked else "undocking"
        stops = self._stops
        await self._running.wait()
        self._base.release()
        if not await self._call(start):
            raise DriveFailedError(f"The base rejected {name}.")

        async def is_done() -> bool:
            return self._stops != stops or self._base.read().docked is docked

        try:
            done = await self._until(is_done, limit)
        except asyncio.CancelledError:
            self._base.brake()
            raise
        if not done or self._stops != stops:
            self._base.brake()
            reason = "was stopped" if self._stops != stops else f"did not end within {limit:.0f} s"
            raise DriveFailedError(f"The {name} {reason}.")

    async def _until(self, condition: Callable[[], Awaitable[bool]], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not await condition():
            if time.monotonic() >= end:
                return False
            await asyncio.sleep(self._limits.interval)
        return True

    async def _call(self, work: Callable[[], Result]) -> Result:
        """Call the navigator in its thread; a call that does not return makes it unusable."""
        if self._is_stuck:
            raise DriveFailedError("The navigator does not respond; restart the bridge.")
        call = asyncio.get_running_loop().run_in_executor(self._thread, work)
        done, _ = await asyncio.wait({call}, timeout=self._limits.call)
        if not done:
            self._is_stuck = True
            self._base.brake()
            raise DriveFailedError("A call of the navigator did not return.")
        return call.result()

    def _ensure_fit(self) -> None:
        reading = self._base.read()
        if not self._localized(reading):
            raise DriveRefusedError("The robot does not know where it is on its map.")
        if reading.odometry_age > self._limits.odometry_age:
            raise DriveRefusedError("The base sends no odometry.")
        if reading.lifted:
            raise DriveRefusedError("The robot was lifted.")

    def _ensure_arrived(self, target: Waypoint) -> None:
        away = self.state().pose.distance(target.pose)
        if away > self._limits.arrival:
            raise DriveFailedError(f"Nav2 reported the arrival {away:.1f} m from {target.name}.")

    def _ahead(self, left: list[Waypoint]) -> list[Waypoint]:
        """Drop the first waypoint once it is passed; the target is kept."""
        near = len(left) > 1 and self.state().pose.distance(left[0].pose) <= PASSED_M
        return left[1:] if near else left

    def _metres_along(self, left: Sequence[Waypoint]) -> float:
        points = [self.state().pose, *(point.pose for point in left)]
        return sum(here.distance(there) for here, there in pairwise(points))

    def _speed(self, reading: Reading) -> float:
        """Speed from odometry; odometry that is too old is no proof of standstill."""
        if reading.odometry_age > self._limits.odometry_age:
            return max(abs(reading.speed), 2 * STANDSTILL_M_S)
        return 0.0 if abs(reading.speed) < STANDSTILL_M_S else abs(reading.speed)

    def _waypoint(self, reading: Reading) -> str | None:
        """The target's name while the robot stands there."""
        if self._target is None or self._last_pose is None or self._speed(reading) > 0:
            return None
        away = self._last_pose.distance(self._target.pose)
        return self._target.name if away <= self._limits.arrival else None

    def _localized(self, reading: Reading) -> bool:
        return reading.pose is not None and reading.pose_age <= self._limits.pose_age

    def _errors(self, reading: Reading, now: float) -> list[Json]:
        docked_for = now - (self._docked_since or now)
        charges = reading.current > 0 or self._battery.level >= FULL
        return conditions.errors(
            {
                "NAVIGATOR_STUCK": self._is_stuck,
                "LIFTED": reading.lifted,
                "NOT_LOCALIZED": not self._localized(reading),
                "NO_ODOMETRY": reading.odometry_age > self._limits.odometry_age,
                "NOT_CHARGING": docked_for > self._limits.charging and not charges,
            }
        )
