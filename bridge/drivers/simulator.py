"""A simulated TurtleBot 4: drives a route at a set speed, uses its battery, docks and charges.

Where it is follows from the clock, not from ticks: a standing simulator costs nothing, a driving
one wakes twice a second to save its state, so that a killed one continues where it was.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bridge.drivers.base import DriveFailedError, DriveRefusedError, RobotState
from bridge.drivers.simulated_drive import SimulatedDrive
from bridge.messages import MalformedError, Pose, Waypoint, integer, number

RANGE_M = 4000.0  # on a full battery: 3.6 h at 0.31 m/s, within the maker's 2.5 to 4 h
CHARGE_S = 9000.0  # from empty to full on the dock
DOCKING_S = 5.0
UNDOCKING_S = 3.0
DOCK_REACH_M = 0.5
SAVE_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """What a simulator remembers: where it stands and how full its battery is."""

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
    """Drives, drains and charges `speed` times as fast as the real robot; see Driver."""

    def __init__(
        self, start: Place, speed: float, state_file: Path, range_m: float = RANGE_M
    ) -> None:
        """Begin where the state file says, else at `start`. `range_m`: metres a full battery."""
        self._file = state_file
        self._speed = speed
        self._range_m = range_m
        self._place = _remembered(state_file) or start
        self._placed_at = time.monotonic()  # charging counts from here
        self._trip: SimulatedDrive | None = None
        self._under_way = False
        self._paused = False
        self._changed = asyncio.Event()

    def state(self) -> RobotState:
        now, place, trip = time.monotonic(), self._place, self._trip
        battery = self._battery(now)
        return RobotState(
            pose=trip.pose(now) if trip else place.pose,
            waypoint=trip.waypoint(now) if trip else place.waypoint,
            battery=battery,
            charging=place.docked and battery < 1,
            docked=place.docked,
            speed=trip.speed(now) if trip else 0.0,
            remaining_m=trip.remaining(now) if trip else 0.0,
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
        self._trip = trip = SimulatedDrive(start, route, self._speed, now)
        self._under_way = True
        if not self._paused:
            trip.go(now)
        try:
            await self._drive(trip)
        finally:
            await self.stop()
        await self._come_to_rest()
        self._save()

    async def dock(self, waypoint: Waypoint) -> None:
        await self._come_to_rest()
        here = self._place.pose
        if here.floor != waypoint.pose.floor or here.distance(waypoint.pose) > DOCK_REACH_M:
            raise DriveRefusedError(
                f"The robot does not stand at {waypoint.name}, so it cannot dock."
            )
        if not self._place.docked:
            await asyncio.sleep(DOCKING_S / self._speed)
            self._put(replace(self._place, docked=True, waypoint=waypoint.name))

    async def undock(self) -> None:
        await self._come_to_rest()
        if self._place.docked:
            await asyncio.sleep(UNDOCKING_S / self._speed)
            self._put(replace(self._place, battery=self._battery(time.monotonic()), docked=False))

    async def stop(self) -> None:
        self._under_way = False
        if self._trip:
            self._trip.brake(time.monotonic())
            self._save()
        self._changed.set()

    async def pause(self) -> None:
        self._paused = True
        if self._trip:
            self._trip.brake(time.monotonic())
        self._changed.set()

    async def resume(self) -> None:
        self._paused = False
        if self._trip and self._under_way:
            self._trip.go(time.monotonic())
        self._changed.set()

    async def close(self) -> None:
        self._save()

    async def _drive(self, trip: SimulatedDrive) -> None:
        """Return when the trip is done; looks twice a second, and when it is interrupted."""
        while (left := trip.cruise_left(time.monotonic())) != 0:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(
                    SAVE_EVERY_S if left is None else min(left, SAVE_EVERY_S)
                ):
                    await self._changed.wait()
            self._save()
            if not self._under_way:
                raise DriveFailedError("The robot was stopped on the way.")
            if self._battery(time.monotonic()) <= 0:
                raise DriveFailedError("The battery is empty.")

    async def _come_to_rest(self) -> None:
        """Wait until an earlier trip has braked to its end, and stand where it ended."""
        trip = self._trip
        if trip is not None:
            await asyncio.sleep(trip.rest_in(time.monotonic()))
            self._put(self._resting_place(trip))
            self._trip = None

    def _resting_place(self, trip: SimulatedDrive) -> Place:
        """Where it will stand once it has braked; the same as where it is when it stands."""
        then = time.monotonic() + trip.rest_in(time.monotonic())
        pose = trip.pose(then)
        return Place(
            pose.x, pose.y, pose.theta, pose.floor, trip.waypoint(then), self._battery(then)
        )

    def _battery(self, now: float) -> float:
        place = self._place
        if place.docked:
            gained = (now - self._placed_at) * self._speed / CHARGE_S
            return min(1.0, place.battery + gained)
        used = self._trip.driven(now) / self._range_m if self._trip else 0.0
        return max(0.0, place.battery - used)

    def _put(self, place: Place) -> None:
        self._place, self._placed_at = place, time.monotonic()
        self._save()

    def _save(self) -> None:
        """By rename, so that a kill in the middle leaves the old state whole."""
        now = time.monotonic()
        trip = self._trip
        place = (
            self._resting_place(trip) if trip else replace(self._place, battery=self._battery(now))
        )
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(place)), encoding="utf-8")
        fresh.replace(self._file)


def _remembered(file: Path) -> Place | None:
    """The saved state; None when there is none that can be trusted."""
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
