"""The dispatch policy: which robot serves which waiting task, and why the others wait.

Pure functions over a snapshot; `backend.robot.service.dispatch` reads it and applies the decision.

Order: priority, raised by one for each ageing interval that the task has waited, then age. Robot:
of those that are free and whose battery lasts for the drive to the source, the trip, the way to a
dock and the reserve, the one with the shortest open route to the source.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from backend.shared.models import PRIORITY_RANK, Priority, WaitingReason


@dataclass(frozen=True, slots=True)
class WaitingTask:
    """A task without a robot; `avoid` is the robot that staff took it from."""

    id: UUID
    priority: Priority
    created_at: datetime
    source: UUID
    destination: UUID
    avoid: UUID | None = None


@dataclass(frozen=True, slots=True)
class FleetRobot:
    """A robot at the waypoint nearest to it; `battery` 0-1."""

    id: UUID
    place: UUID | None
    battery: float | None
    in_service: bool = True  # not in maintenance, not in error
    online: bool = True
    stopped: bool = False
    charging: bool = False
    busy: bool = False  # has a task or a command, or staff hold it

    @property
    def is_free(self) -> bool:
        return (
            self.in_service
            and self.online
            and not self.stopped
            and not self.busy
            and self.place is not None
            and self.battery is not None
        )


@dataclass(frozen=True)
class Limits:
    """Settings of the policy; battery as a share of the full charge."""

    ageing: timedelta
    battery_per_metre: float
    battery_reserve: float
    battery_ready: float  # a charging robot below this does not serve


@dataclass(frozen=True)
class Snapshot:
    """Everything that a decision depends on."""

    now: datetime
    tasks: Collection[WaitingTask]
    robots: Collection[FleetRobot]
    lengths_to: Callable[[UUID], Mapping[UUID, float]]  # metres to a waypoint from the others
    docks: Collection[UUID]
    limits: Limits


@dataclass
class Decision:
    """The robot of each task that gets one, and the reason of each that waits."""

    robots: dict[UUID, UUID] = field(default_factory=dict)
    reasons: dict[UUID, WaitingReason] = field(default_factory=dict)


def rank(task: WaitingTask, now: datetime, ageing: timedelta) -> int:
    """Return the rank of the task's priority after ageing; lower goes first."""
    raised = int((now - task.created_at) / ageing)
    return max(0, PRIORITY_RANK[task.priority] - max(0, raised))


def serving_order(snapshot: Snapshot) -> list[WaitingTask]:
    """Sort the waiting tasks in the order in which they are served."""
    ageing = snapshot.limits.ageing
    return sorted(
        snapshot.tasks,
        key=lambda task: (rank(task, snapshot.now, ageing), task.created_at, task.id),
    )


def free_robots(snapshot: Snapshot) -> list[FleetRobot]:
    """List the robots that may serve a task now."""
    return [
        robot
        for robot in snapshot.robots
        if robot.is_free and not _is_charging(robot, snapshot.limits)
    ]


def decide(snapshot: Snapshot) -> Decision:
    """Assign free robots to the waiting tasks in serving order, and say why the others wait."""
    decision = Decision()
    free = {robot.id: robot for robot in free_robots(snapshot)}
    exhausted = reason_without_free_robots(snapshot)
    unfit: dict[tuple[UUID, UUID], WaitingReason] = {}  # free robots only become fewer
    for task in serving_order(snapshot):
        trip = (task.source, task.destination)
        if free and trip not in unfit:
            robot, reason = _choose(snapshot, task, free.values())
            if robot is not None:
                decision.robots[task.id] = robot.id
                del free[robot.id]
                continue
            unfit[trip] = reason
        decision.reasons[task.id] = unfit.get(trip, exhausted) if free else exhausted
    return decision


def _choose(
    snapshot: Snapshot, task: WaitingTask, free: Iterable[FleetRobot]
) -> tuple[FleetRobot | None, WaitingReason]:
    """Choose the nearest fit robot; one that staff took the task from only when no other is."""
    to_source = snapshot.lengths_to(task.source)
    with_book = snapshot.lengths_to(task.destination).get(task.source, math.inf)
    onwards = with_book + _to_dock(snapshot, task.destination)
    reachable = False
    best: tuple[bool, float, UUID] | None = None
    chosen: FleetRobot | None = None
    for robot in free:
        distance = to_source.get(robot.place, math.inf) if robot.place is not None else math.inf
        if distance + onwards == math.inf:
            continue
        reachable = True
        key = (robot.id == task.avoid, distance, robot.id)
        if (best is None or key < best) and _has_battery(robot, distance + onwards, snapshot):
            best, chosen = key, robot
    return chosen, WaitingReason.ROBOTS_CHARGING if reachable else WaitingReason.NO_ROUTE


def _to_dock(snapshot: Snapshot, place: UUID) -> float:
    """Return the metres to the nearest dock; 0 on a map without docks."""
    return min(
        (snapshot.lengths_to(dock).get(place, math.inf) for dock in snapshot.docks), default=0
    )


def _has_battery(robot: FleetRobot, metres: float, snapshot: Snapshot) -> bool:
    limits = snapshot.limits
    needed = metres * limits.battery_per_metre + limits.battery_reserve
    return robot.battery is not None and robot.battery >= needed


def _is_charging(robot: FleetRobot, limits: Limits) -> bool:
    return robot.charging and (robot.battery or 0.0) < limits.battery_ready


def reason_without_free_robots(snapshot: Snapshot) -> WaitingReason:
    """Return why no robot is free, or will be when the free ones are assigned."""
    in_service = [robot for robot in snapshot.robots if robot.in_service]
    online = [robot for robot in in_service if robot.online]
    able = [robot for robot in online if not robot.stopped]
    if not in_service:
        return WaitingReason.NO_ROBOT_IN_SERVICE
    if not online:
        return WaitingReason.ROBOTS_OFFLINE
    if not able:
        return WaitingReason.ROBOTS_STOPPED
    if all(_is_charging(robot, snapshot.limits) and not robot.busy for robot in able):
        return WaitingReason.ROBOTS_CHARGING
    return WaitingReason.ROBOTS_BUSY
