"""A simulated TurtleBot 4: drives a route at a set speed, uses its battery, docks and charges.

Its position is computed from the clock, not in ticks: an idle simulator uses no CPU. A driving one
saves its state twice a second, so that it continues there after a crash.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from bridge.drivers.base import DriveFailedError, DriveRefusedError, RobotState
from bridge.drivers.simulated_drive import SimulatedDrive
from bridge.messages import Json, MalformedError, Pose, Waypoint, integer, number

RANGE_M = 4000.0  # per full battery: 3.6 h at 0.31 m/s; the data sheet says 2.5 to 4 h
CHARGE_S = 9000.0  # from empty to full on the dock
DOCKING_S = 5.0
UNDOCKING_S = 3.0
DOCK_REACH_M = 0.5
SAVE_INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """The saved state: position, battery and dock."""

    x: float = 0.0
    y: float = 0.0
    theta: float = 0.0
    floor: int = 1
    waypoint: str | None = None
    battery: float = 1.0
    docked: bool = False

    @property
    def pose(self) -> Pose:
        return Pose(self.x, self.y, self.theta, self.floor)


class Simulator:
    """Drives, discharges and charges `speed` times as fast as a real robot; see Driver."""

    capabilities: ClassVar[Json] = {"pause": True, "carry": 1, "say": True}

    def __init__(
        self, start: Place, speed: float, state_file: Path, range_m: float = RANGE_M
    ) -> None:
        """Start from the state file, else at `start`. `range_m`: metres per full battery."""
        self._file = state_file
        self._speed = speed
        self._range_m = range_m
        self._place = _load_place(state_file) or start
        self._placed_at = time.monotonic()  # charging is counted from here
        self._drive: SimulatedDrive | None = None
        self._under_way = False
        self._paused = False
        self._changed = asyncio.Event()

    def state(self) -> RobotState:
        now, place, drive = time.monotonic(), self._place, self._drive
        battery = self._battery(now)
        return RobotState(
            pose=drive.pose(now) if drive else place.pose,
            waypoint=drive.waypoint(now) if drive else place.waypoint,
            battery=battery,
            charging=place.docked and battery < 1,
            docked=place.docked,
            speed=drive.speed(now) if drive else 0.0,
            remaining_m=drive.remaining(now) if drive else 0.0,
            sensors={"simulated": True},
        )

    async def navigate(self, route: Sequence[Waypoint]) -> None:
        await self._come_to_rest()
        if not route:
            return
        if self._place.docked:
            await self.undock()
        now = time.monotonic()
        start = Waypoint("", self._place.waypoint or "", self._place.pose)
        self._drive = drive = SimulatedDrive(start, route, self._speed, now)
        self._under_way = True
        if not self._paused:
            drive.start(now)
        try:
            await self._follow(drive)
        finally:
            await self.stop()
        await self._come_to_rest()
        self._save()

    async def dock(self, waypoint: Waypoint) -> None:
        await self._come_to_rest()
        here = self._place.pose
        if here.floor != waypoint.pose.floor or here.distance(waypoint.pose) > DOCK_REACH_M:
            raise DriveRefusedError(f"The robot is not at {waypoint.name}, so it cannot dock.")
        if not self._place.docked:
            await asyncio.sleep(DOCKING_S / self._speed)
            self._set_place(replace(self._place, docked=True, waypoint=waypoint.name))

    async def undock(self) -> None:
        await self._come_to_rest()
        if self._place.docked:
            await asyncio.sleep(UNDOCKING_S / self._speed)
            self._set_place(
                replace(self._place, battery=self._battery(time.monotonic()), docked=False)
            )

    async def stop(self) -> None:
        self._under_way = False
        if self._drive:
            self._drive.brake(time.monotonic())
            self._save()
        self._changed.set()

    async def pause(self) -> None:
        self._paused = True
        if self._drive:
            self._drive.brake(time.monotonic())
        self._changed.set()

    async def resume(self) -> None:
        self._paused = False
        if self._drive and self._under_way:
            self._drive.start(time.monotonic())
        self._changed.set()

    def set_battery(self, level: float) -> None:
        """Replace the battery by one that is charged to `level` (0 to 1)."""
        used = self._drive.driven(time.monotonic()) / self._range_m if self._drive else 0.0
        self._place, self._placed_at = replace(self._place, battery=level + used), time.monotonic()

    async def close(self) -> None:
        self._save()

    async def _follow(self, drive: SimulatedDrive) -> None:
        """Return when the drive is done; checks twice a second and at each interruption."""
        while (left := drive.time_left(time.monotonic())) != 0:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(
                    SAVE_INTERVAL_S if left is None else min(left, SAVE_INTERVAL_S)
                ):
                    await self._changed.wait()
            self._save()
            if not self._under_way:
                raise DriveFailedError("The robot was stopped before the target.")
            if self._battery(time.monotonic()) <= 0:
                raise DriveFailedError("The battery is empty.")

    async def _come_to_rest(self) -> None:
        """Wait until an earlier drive has braked, and keep its end as the position."""
        drive = self._drive
        if drive is not None:
            await asyncio.sleep(drive.braking_left(time.monotonic()))
            self._set_place(self._resting_place(drive))
            self._drive = None

    def _resting_place(self, drive: SimulatedDrive) -> Place:
        """The position once it has braked; the current one at standstill."""
        then = time.monotonic() + drive.braking_left(time.monotonic())
        pose = drive.pose(then)
        return Place(
            pose.x, pose.y, pose.theta, pose.floor, drive.waypoint(then), self._battery(then)
        )

    def _battery(self, now: float) -> float:
        place = self._place
        if place.docked:
            gained = (now - self._placed_at) * self._speed / CHARGE_S
            return min(1.0, place.battery + gained)
        used = self._drive.driven(now) / self._range_m if self._drive else 0.0
        return max(0.0, place.battery - used)

    def _set_place(self, place: Place) -> None:
        self._place, self._placed_at = place, time.monotonic()
        self._save()

    def _save(self) -> None:
        """Save by rename, so that a crash leaves the old state intact."""
        now = time.monotonic()
        drive = self._drive
        place = (
            self._resting_place(drive)
            if drive
            else replace(self._place, battery=self._battery(now))
        )
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(place)), encoding="utf-8")
        fresh.replace(self._file)


def _load_place(file: Path) -> Place | None:
    """The saved state; None when it is missing or invalid."""
    try:
        saved: Any = json.loads(file.read_text(encoding="utf-8"))
        return Place(
            x=number(saved, "x"),
            y=number(saved, "y"),
            theta=number(saved, "theta"),
            floor=integer(saved, "floor"),
            waypoint=saved["waypoint"],
            battery=min(1.0, max(0.0, number(saved, "battery"))),
            docked=saved["docked"] is True,
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, MalformedError):
        return None
