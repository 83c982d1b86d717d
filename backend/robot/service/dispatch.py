"""The dispatcher: reads a snapshot, lets `dispatch_policy` decide, applies the decision.

A database lock admits one dispatcher at a time, and the unique index
`uq_delivery_tasks_active_robot` prevents a second assignment. Each assignment is a transaction of
its own and skips rows that are locked, so that it holds the lock of one robot and waits for none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from backend.robot import queries
from backend.robot.service import dispatch_policy
from backend.robot.service.dispatch_policy import FleetRobot, Limits, Snapshot, WaitingTask
from backend.shared.domain import commands, route_graph, workflow
from backend.shared.domain.route_graph import RouteGraph
from backend.shared.domain.transitions import Action
from backend.shared.domain.workflow import TransitionContext
from backend.shared.infra import clock, config, database
from backend.shared.models import (
    Connectivity,
    DeliveryTask,
    Priority,
    Robot,
    RobotStatus,
    TaskStatus,
    WaitingReason,
    WaypointKind,
)
from backend.shared.web.pagination import AnySelect

_LOCK = 7_305_461_002
_QUEUED_TOGETHER = 50
_BY = "dispatcher"
_WAITING = (TaskStatus.PENDING, TaskStatus.QUEUED)
_OUT_OF_SERVICE = (RobotStatus.MAINTENANCE, RobotStatus.ERROR)


class WaitingRow(NamedTuple):
    """A row of `queries.waiting_tasks`."""

    id: UUID
    status: TaskStatus
    priority: Priority
    created_at: datetime
    source_waypoint_id: UUID
    destination_waypoint_id: UUID
    waiting_reason: WaitingReason | None
    avoid: str | None


class RobotRow(NamedTuple):
    """A row of `queries.dispatch_robots`."""

    id: UUID
    pose: dict[str, Any] | None
    battery_level: float | None
    charging: bool
    status: RobotStatus
    connectivity: Connectivity
    stopped: bool
    assignable: bool


def run(session: Session) -> int:
    """Queue new tasks and assign robots; the number of robots assigned."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    fleet = _read_fleet(session)
    waiting = [WaitingRow._make(row) for row in session.execute(_waiting(fleet))]
    if not waiting:
        return 0
    snapshot = replace(fleet, tasks=[_waiting_task(row) for row in waiting])
    decision = dispatch_policy.decide(snapshot)
    new = {row.id for row in waiting if row.status is TaskStatus.PENDING}
    robots = decision.robots
    served = [
        task.id
        for task in dispatch_policy.serving_order(snapshot)
        if task.id in robots or task.id in new
    ]
    unserved = [each for each in served if each not in robots]
    starts = range(0, len(unserved), _QUEUED_TOGETHER)
    stored = {row.id: row.waiting_reason for row in waiting}
    database.run_each(
        [unserved[start:][:_QUEUED_TOGETHER] for start in starts],
        lambda own, some: _queue_new(own, some, stored, decision.reasons),
    )
    assigned = database.run_each(
        [each for each in served if each in robots],
        lambda own, each: _serve(own, each, robots[each]),
    )
    _store_reasons(stored, decision.reasons)
    return assigned


def _waiting(fleet: Snapshot) -> AnySelect:
    """Select the waiting tasks; without a free robot only those for which that is news."""
    waiting = queries.waiting_tasks()
    if dispatch_policy.free_robots(fleet):
        return waiting
    reason = dispatch_policy.reason_without_free_robots(fleet)
    is_new = DeliveryTask.status == TaskStatus.PENDING
    return waiting.where(or_(is_new, DeliveryTask.waiting_reason.is_distinct_from(reason)))


def _waiting_task(row: WaitingRow) -> WaitingTask:
    return WaitingTask(
        id=row.id,
        priority=row.priority,
        created_at=row.created_at,
        source=row.source_waypoint_id,
        destination=row.destination_waypoint_id,
        avoid=UUID(row.avoid) if row.avoid else None,
    )


def _read_fleet(session: Session) -> Snapshot:
    """Read everything but the tasks."""
    graph, settings = route_graph.current(session), config.robots()
    robots = map(RobotRow._make, session.execute(queries.dispatch_robots()))
    return Snapshot(
        now=clock.now(),
        tasks=[],
        robots=[_fleet_robot(row, graph) for row in robots],
        lengths_to=graph.lengths_to,
        docks=[dock.id for dock in graph.of_kind(WaypointKind.DOCK)],
        limits=Limits(
            ageing=config.workflow().priority_ageing,
            battery_per_metre=settings.battery_per_metre,
            battery_reserve=settings.battery_reserve,
            battery_ready=settings.battery_ready,
        ),
    )


def _fleet_robot(row: RobotRow, graph: RouteGraph) -> FleetRobot:
    here = graph.nearest(row.pose)
    return FleetRobot(
        id=row.id,
        place=here.id if here is not None else None,
        battery=row.battery_level,
        in_service=row.status not in _OUT_OF_SERVICE,
        online=row.connectivity is Connectivity.ONLINE,
        stopped=row.stopped,
        charging=row.charging,
        busy=not row.assignable,
    )


def _queue_new(
    session: Session,
    task_ids: Sequence[UUID],
    stored: dict[UUID, WaitingReason | None],
    reasons: Mapping[UUID, WaitingReason],
) -> None:
    """Queue tasks for which there is no robot yet, with the reason; skips those that are locked."""
    for task_id in workflow.take_all(session, task_ids, _BY, reasons):
        stored[task_id] = reasons.get(task_id)


def _serve(session: Session, task_id: UUID, robot_id: UUID) -> bool:
    """Assign the robot to a task; False when one of them is locked."""
    task = database.row_lock_or_skip(session, DeliveryTask, task_id)
    if task is None:
        return False
    if task.status is TaskStatus.PENDING:
        workflow.apply(session, task, Action.TAKE, TransitionContext(by=_BY))
    if task.status is not TaskStatus.QUEUED:
        return False
    return _assign(session, task, robot_id)


def _assign(session: Session, task: DeliveryTask, robot_id: UUID) -> bool:
    robot: Robot | None = session.execute(
        select(Robot)
        .where(Robot.id == robot_id, commands.is_assignable())
        .with_for_update(of=Robot, skip_locked=True)
    ).scalar_one_or_none()
    if robot is None:  # changed or locked since the snapshot: the next run tries again
        return False
    workflow.apply(session, task, Action.ASSIGN, TransitionContext(by=_BY, robot_id=robot.id))
    return True


def _store_reasons(
    stored: Mapping[UUID, WaitingReason | None], reasons: Mapping[UUID, WaitingReason]
) -> None:
    """Store the reasons that have changed; tasks that are locked follow with the next run."""
    changed: dict[WaitingReason, list[UUID]] = {}
    for task_id, reason in reasons.items():
        if stored[task_id] is not reason:
            changed.setdefault(reason, []).append(task_id)
    for reason, task_ids in changed.items():
        with database.transaction() as session:
            open_to_change = (
                select(DeliveryTask.id)
                .where(DeliveryTask.id.in_(task_ids), DeliveryTask.status.in_(_WAITING))
                .with_for_update(skip_locked=True)
            )
            session.execute(
                update(DeliveryTask)
                .where(DeliveryTask.id.in_(open_to_change))
                .values(waiting_reason=reason)
            )
