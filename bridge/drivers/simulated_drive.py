"""A simulated drive as a function of time: the position depends on the clock alone.

Progress counts seconds of an uninterrupted real drive. While cruising it grows `factor` times as
fast as the clock; braking reduces its rate to 0 over the real robot's braking time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bridge.messages import Pose, Waypoint

CRUISE_M_S = 0.31  # TurtleBot 4's usual top speed
BRAKING_S = 0.35  # from full speed to standstill at 0.9 m/s²
ELEVATOR_S = 10.0  # from one floor to another
AT_WAYPOINT_M = 0.1


@dataclass(frozen=True, slots=True)
class Leg:
    start_progress: float  # progress at the start of the leg
    duration: float
    metres_before: float
    metres: float  # 0 in the elevator
    start: Pose
    end: Pose


class SimulatedDrive:
    """Every `now` is a time in seconds of a monotonic clock."""

    def __init__(
        self, start: Waypoint, route: Sequence[Waypoint], factor: float, now: float
    ) -> None:
        self._points = (start, *route)
        self._factor = factor
        self._legs = _legs([point.pose for point in self._points])
        self._whole = sum(leg.duration for leg in self._legs)
        self._metres = sum(leg.metres for leg in self._legs)
        self._since = now  # start of the current phase,
        self._from = 0.0  # its progress,
        self._rate = 0.0  # its rate,
        self._braking = 0.0  # and its braking time in seconds (0: cruising or at standstill)

    def start(self, now: float) -> None:
        self._phase(now, rate=self._factor, braking=0.0)

    def brake(self, now: float) -> None:
        """Brake to standstill; no effect while braking."""
        if self._rate and not self._braking:
            self._phase(now, rate=self._factor, braking=BRAKING_S / self._factor)

    def time_left(self, now: float) -> float | None:
        """Seconds to the end; None while braking or at standstill before the end."""
        left = self._whole - self._progress(now)
        if left <= 0:
            return 0.0
        return left / self._rate if self._rate and not self._braking else None

    def braking_left(self, now: float) -> float:
        """Seconds until a braking robot is at standstill, else 0."""
        return max(0.0, self._since + self._braking - now) if self._braking else 0.0

    def speed(self, now: float) -> float:
        """Metres per second, as odometry would report."""
        leg = self._leg(now)
        if leg is None or self._progress(now) >= self._whole:
            return 0.0
        rate = self._rate
        if self._braking:
            rate *= self.braking_left(now) / self._braking
        return rate * leg.metres / leg.duration

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
        """The name of the waypoint that the robot is at."""
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
        elapsed = max(0.0, now - self._since)
        if self._braking:
            elapsed = min(elapsed, self._braking)
            elapsed -= elapsed**2 / (2 * self._braking)
        return min(self._whole, self._from + self._rate * elapsed)

    def _leg(self, now: float) -> Leg | None:
        progress = self._progress(now)
        started = [leg for leg in self._legs if leg.start_progress <= progress]
        return started[-1] if started else None

    def _share(self, leg: Leg, now: float) -> float:
        return min(1.0, (self._progress(now) - leg.start_progress) / leg.duration)


def _legs(points: Sequence[Pose]) -> list[Leg]:
    """The legs between the points, without those of zero length."""
    legs: list[Leg] = []
    start_progress = metres_before = 0.0
    for start, end in pairwise(points):
        rides = start.floor != end.floor
        metres = 0.0 if rides else start.distance(end)
        duration = ELEVATOR_S if rides else metres / CRUISE_M_S
        if duration > 0:
            legs.append(
                Leg(start_progress, duration, metres_before, metres, _facing(start, end), end)
            )
            start_progress += duration
            metres_before += metres
    return legs


def _facing(start: Pose, end: Pose) -> Pose:
    """The start of a leg, facing its end."""
    if start.floor != end.floor:
        return start
    return Pose(start.x, start.y, math.atan2(end.y - start.y, end.x - start.x), start.floor)
