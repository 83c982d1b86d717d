"""Messages from LUNA, parsed strictly: a missing or malformed field is an error."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


class MalformedError(Exception):
    """A message from LUNA is malformed; the text names the field."""


@dataclass(frozen=True, slots=True)
class Pose:
    """A position on the map: x and y in metres, theta in radians, floor number of the map."""

    x: float
    y: float
    theta: float
    floor: int

    def distance(self, other: "Pose") -> float:
        """Straight-line distance in metres; the floor is ignored."""
        return math.hypot(other.x - self.x, other.y - self.y)

    def as_json(self) -> Json:
        return {
            "x": round(self.x, 3),
            "y": round(self.y, 3),
            "theta": round(self.theta, 3),
            "floor": self.floor,
        }


@dataclass(frozen=True, slots=True)
class Waypoint:
    id: str
    name: str
    pose: Pose


@dataclass(frozen=True, slots=True)
class Command:
    """A leased command; a higher lease token replaces a lower one."""

    id: str
    type: str
    payload: Json
    task_id: str | None
    lease_token: int
    deadline: datetime | None


@dataclass(frozen=True, slots=True)
class StopOrder:
    """The state of the emergency stop; stop and resume each raise the version."""

    version: int
    stopped: bool
    reason: str | None = None


def waypoint_from(data: object) -> Waypoint:
    body = mapping(data, "waypoint")
    return Waypoint(
        id=text(body, "id"),
        name=text(body, "name"),
        pose=Pose(
            x=number(body, "x"),
            y=number(body, "y"),
            theta=number(body, "theta"),
            floor=integer(body, "floor"),
        ),
    )


def command_from(data: object) -> Command:
    body = mapping(data, "command")
    task_id = body.get("task_id")
    deadline = body.get("deadline")
    return Command(
        id=text(body, "id"),
        type=text(body, "type"),
        payload=dict(mapping(body.get("payload") or {}, "payload")),
        task_id=None if task_id is None else str(task_id),
        lease_token=integer(body, "lease_token"),
        deadline=None if deadline is None else instant(deadline),
    )


def stop_order_from(data: object) -> StopOrder:
    body = mapping(data, "stop order")
    stopped = body.get("stopped")
    if not isinstance(stopped, bool):
        raise MalformedError("the stop order does not say whether the robot is stopped")
    reason = body.get("reason")
    return StopOrder(
        version=integer(body, "stop_version"),
        stopped=stopped,
        reason=None if reason is None else str(reason),
    )


def mapping(data: object, what: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise MalformedError(f"the {what} is not an object")
    return data


def text(body: Mapping[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise MalformedError(f"{field} is missing or not a text")
    return value


def number(body: Mapping[str, Any], field: str) -> float:
    value = body.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise MalformedError(f"{field} is missing or not a number")
    return float(value)


def integer(body: Mapping[str, Any], field: str) -> int:
    value = body.get(field)
    if isinstance(value, bool) or not isinstance(value, int):
        raise MalformedError(f"{field} is missing or not a whole number")
    return value


def instant(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise MalformedError(f"{value!r} is not a time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
