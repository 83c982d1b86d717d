"""A simulated drive as a function of time: where the robot is follows from the clock alone.

Progress counts seconds of an undisturbed real drive. While cruising it grows `factor` times as
fast as the clock; braking brings its rate to 0 over the real robot's braking time; then it rests.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bridge.messages import Pose, Waypoint

CRUISE_M_S = 0.31  # TurtleBot 4's usual top speed
BRAKING_S = 0.35  # from full speed to rest at its 0.9 m/s²
ELEVATOR_S = 10.0  # from one floor to another
AT_WAYPOINT_M = 0.1


@dataclass(frozen=True, slots=True)
class Leg:
    begins: float  # progress at its start
    lasts: float
    metres_before: float
    metres: float  # 0 in the elevator
    start: Pose
    end: Pose


class SimulatedDrive:
    """Every `now` is a time in seconds from a clock that never goes back."""

    def __init__(
        self, start: Waypoint, route: Sequence[Waypoint], factor: float, now: float
    ) -> None:
        self._points = (start, *route)
        self._factor = factor
        self._legs = _legs([point.pose for point in self._points])
        self._whole = sum(leg.lasts for leg in self._legs)
        self._metres = sum(leg.metres for leg in self._legs)
        self._since = now  # the present phase began then,
        self._from = 0.0  # at this progress,
        self._rate = 0.0  # at this rate,
        self._braking = 0.0  # and comes to rest after so many seconds (0: cruises, or rests)

    def go(self, now: float) -> None:
        self._phase(now, rate=self._factor, braking=0.0)

    def brake(self, now: float) -> None:
        """Come to rest; a robot that brakes already keeps on braking."""
        if self._rate and not self._braking:
            self._phase(now, rate=self._factor, braking=BRAKING_S / self._factor)

    def cruise_left(self, now: float) -> float | None:
        """Seconds until it is there; None while braking or at rest before the end."""
        left = self._whole - self._progress(now)
        if left <= 0:
            return 0.0
        return left / self._rate if self._rate and not self._braking else None

    def rest_in(self, now: float) -> float:
        """Seconds until a braking robot stands; 0 when it stands."""
        return max(0.0, self._since + self._braking - now) if self._braking else 0.0

    def speed(self, now: float) -> float:
        """Metres a second as odometry would tell."""
        leg = self._leg(now)
        if leg is None or self._progress(now) >= self._whole:
            return 0.0
        rate = self._rate
        if self._braking:
            rate *= self.rest_in(now) / self._braking
        return rate * leg.metres / leg.lasts

    def driven(self, now: float) -> float:
        """Metres since the start."""
        leg = self._leg(now)
        if leg is None:
            return 0.0
        return leg.metres_before + leg.metres * self._share(leg, now)

    def remaining(self, now: float) -> float:
        """Metres to the end."""
        return self._metres - self.driven(now)

    def pose(self, now: float) -> Pose:
        leg = self._leg(now)
        if leg is None or self._progress(now) >= self._whole:
            return self._points[-1].pose
        if not leg.metres:
            return leg.start
        share = self._share(leg, now)
        return Pose(
            leg.start.x + share * (leg.end.x - leg.start.x),
            leg.start.y + share * (leg.end.y - leg.start.y),
            leg.start.theta,
            leg.start.floor,
        )

    def waypoint(self, now: float) -> str | None:
        """The name of the waypoint it stands at."""
        if self.speed(now) > 0:
            return None
        here = self.pose(now)
        near = (
            point.name
            for point in self._points
            if point.name
            and point.pose.floor == here.floor
            and point.pose.distance(here) <= AT_WAYPOINT_M
        )
        return next(near, None)

    def _phase(self, now: float, rate: float, braking: float) -> None:
        self._from, self._since = self._progress(now), now
        self._rate, self._braking = rate, braking

    def _progress(self, now: float) -> float:
        passed = max(0.0, now - self._since)
        if self._braking:
            passed = min(passed, self._braking)
            passed -= passed**2 / (2 * self._braking)
        return min(self._whole, self._from + self._rate * passed)

    def _leg(self, now: float) -> Leg | None:
        progress = self._progress(now)
        begun = [leg for leg in self._legs if leg.begins <= progress]
        return begun[-1] if begun else None

    def _share(self, leg: Leg, now: float) -> float:
        return min(1.0, (self._progress(now) - leg.begins) / leg.lasts)


def _legs(points: Sequence[Pose]) -> list[Leg]:
    """The stretches between the points; those without any way to go are left out."""
    legs: list[Leg] = []
    begins = metres_before = 0.0
    for start, end in pairwise(points):
        rides = start.floor != end.floor
        metres = 0.0 if rides else start.distance(end)
        lasts = ELEVATOR_S if rides else metres / CRUISE_M_S
        if lasts > 0:
            legs.append(Leg(begins, lasts, metres_before, metres, _facing(start, end), end))
            begins += lasts
            metres_before += metres
    return legs


def _facing(start: Pose, end: Pose) -> Pose:
    """The start of a leg, looking along it."""
    if start.floor != end.floor:
        return start
    return Pose(start.x, start.y, math.atan2(end.y - start.y, end.x - start.x), start.floor)
