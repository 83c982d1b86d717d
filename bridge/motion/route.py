"""Checks a planned route against the robot's position."""

from collections.abc import Sequence
from itertools import pairwise

from bridge.messages import Json, MalformedError, Pose, Waypoint, waypoint_from

NEAR_M = 0.5  # within it the robot counts as being at a waypoint or on a leg


def planned_route(payload: Json, here: Pose) -> tuple[Waypoint, ...]:
    """The waypoints still ahead of a robot at `here`, the target last; empty at the target.

    Raises MalformedError when the payload has no pose or no route, or a route that ends elsewhere
    or starts on another floor.
    """
    target = waypoint_from(payload.get("waypoint"))
    listed = payload.get("route")
    if not isinstance(listed, list):
        raise MalformedError("the command has no route")
    route = tuple(waypoint_from(item) for item in listed)
    if not route:
        if _at(here, target.pose):
            return ()
        raise MalformedError(f"the command has no route to {target.name}")
    if route[-1].id != target.id:
        raise MalformedError(f"the route ends at {route[-1].name}, not at {target.name}")
    if route[0].pose.floor != here.floor:
        raise MalformedError(
            f"the route starts on floor {route[0].pose.floor}, the robot is on floor {here.floor}"
        )
    return _ahead(here, route)


def _ahead(here: Pose, route: Sequence[Waypoint]) -> tuple[Waypoint, ...]:
    """Leave out the waypoints that a robot on the route has passed."""
    for index, (start, end) in enumerate(pairwise(route)):
        on_floor = start.pose.floor == end.pose.floor == here.floor
        if on_floor and _distance_to_leg(here, start.pose, end.pose) <= NEAR_M:
            return tuple(route[index + 1 :])
    return tuple(route)


def _at(here: Pose, there: Pose) -> bool:
    return here.floor == there.floor and here.distance(there) <= NEAR_M


def _distance_to_leg(point: Pose, start: Pose, end: Pose) -> float:
    length = start.distance(end)
    if length == 0:
        return point.distance(start)
    along = (point.x - start.x) * (end.x - start.x) + (point.y - start.y) * (end.y - start.y)
    share = min(1.0, max(0.0, along / length**2))
    foot = Pose(
        start.x + share * (end.x - start.x), start.y + share * (end.y - start.y), 0.0, start.floor
    )
    return point.distance(foot)
