"""A simulated robot whose sensors, path and battery fail on demand."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from bridge.drivers.base import DriveFailedError, RobotState
from bridge.drivers.simulator import Simulator
from bridge.messages import Json, Pose, Waypoint
from bridge.simulation.faults import Fault, Kind, RobotFaults

BLOCKED = "PATH_BLOCKED"
EMPTY = "BATTERY_EMPTY"


class FaultyRobot:
    """Passes each call on to the simulator and injects the robot's faults; see Driver."""

    capabilities: ClassVar[Json] = Simulator.capabilities

    def __init__(self, robot: Simulator, faults: RobotFaults) -> None:
        self._robot = robot
        self._faults = faults
        self._is_blocked = False
        self._lasting: dict[Kind, tuple[Fault, float]] = {}  # with its end
        self._speed_before_stop = 0.0

    def state(self) -> RobotState:
        state = self._robot.state()
        errors = list(state.errors)
        if self._is_blocked:
            errors.append(_error(BLOCKED, "WARNING", "The path is blocked."))
        if state.battery <= 0:
            errors.append(_error(EMPTY, "CRITICAL", "The battery is empty."))
        state = replace(state, obstacle=self._is_blocked, errors=tuple(errors))
        if wrong := self._active(Kind.WRONG_BATTERY):
            state = replace(state, battery=wrong.value)
        if wrong := self._active(Kind.WRONG_PLACE):
            pose = replace(state.pose, x=state.pose.x + wrong.value)
            state = replace(state, pose=pose)
        if self._active(Kind.UNCONFIRMED_STOP):
            state = replace(state, speed=self._speed_before_stop)
        return state

    async def navigate(self, route: Sequence[Waypoint]) -> None:
        for kind in (Kind.WRONG_BATTERY, Kind.WRONG_PLACE):
            self._begin(kind)
        if flat := self._faults.draw(Kind.FLAT_BATTERY):
            self._robot.set_battery(0.0)
            asyncio.get_running_loop().call_later(flat.seconds, self._robot.set_battery, 1.0)
        if route and (blocked := self._faults.draw(Kind.BLOCKED_PATH)):
            await self._meet_obstacle(route, blocked.seconds)
        if route and (elsewhere := self._faults.draw(Kind.ARRIVES_ELSEWHERE)):
            end = route[-1].pose
            route = [*route[:-1], _nowhere(replace(end, x=end.x + elsewhere.value))]
        await self._robot.navigate(route)

    async def dock(self, waypoint: Waypoint) -> None:
        await self._robot.dock(waypoint)

    async def undock(self) -> None:
        await self._robot.undock()

    async def stop(self) -> None:
        speed = self._robot.state().speed
        if speed > 0 and not self._active(Kind.UNCONFIRMED_STOP):
            self._speed_before_stop = speed
            self._begin(Kind.UNCONFIRMED_STOP)
        await self._robot.stop()

    async def pause(self) -> None:
        await self._robot.pause()

    async def resume(self) -> None:
        await self._robot.resume()

    async def close(self) -> None:
        await self._robot.close()

    async def _meet_obstacle(self, route: Sequence[Waypoint], seconds: float) -> None:
        """Drive half of the first leg, wait before the obstacle, and give up."""
        here, there = self._robot.state().pose, route[0].pose
        if here.floor == there.floor:
            half = replace(here, x=(here.x + there.x) / 2, y=(here.y + there.y) / 2)
            await self._robot.navigate([_nowhere(half)])
        self._is_blocked = True
        try:
            await asyncio.sleep(seconds)
        finally:
            self._is_blocked = False
        raise DriveFailedError(f"{BLOCKED}: the path to {route[0].name} is blocked.")

    def _begin(self, kind: Kind) -> None:
        if fault := self._faults.draw(kind):
            self._lasting[kind] = fault, time.monotonic() + fault.seconds

    def _active(self, kind: Kind) -> Fault | None:
        fault, end = self._lasting.get(kind, (None, 0.0))
        return fault if time.monotonic() < end else None


def _nowhere(pose: Pose) -> Waypoint:
    return Waypoint("", "", pose)


def _error(kind: str, level: str, message: str) -> Json:
    return {"type": kind, "level": level, "message": message}
