"""The dispatcher: which robot serves which task (workflow.md §3).

Tasks by priority, then age; of the assignable robots, the one with the shortest route to the
source. A database lock admits one dispatcher at a time, and the unique index
`uq_delivery_tasks_active_robot` prevents a second assignment. Each assignment is a transaction of
its own and skips rows that are locked, so that it holds the lock of one robot and waits for none.
"""

import math
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.robot import queries
from backend.shared.domain import commands, route_graph, workflow
from backend.shared.domain.route_graph import RouteGraph
from backend.shared.domain.transitions import Action
from backend.shared.domain.workflow import TransitionContext
from backend.shared.infra import config, database
from backend.shared.models import DeliveryTask, Robot, TaskStatus

_LOCK = 7_305_461_002
_BY = "dispatcher"


def run(session: Session) -> int:
    """Queue new tasks and assign robots; the number of robots assigned."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    waiting = session.execute(
        select(DeliveryTask.id)
        .where(DeliveryTask.status.in_([TaskStatus.PENDING, TaskStatus.QUEUED]))
        .order_by(*queries.SERVING_ORDER)
    ).scalars()
    return sum(_serve(task_id) for task_id in waiting.all())


def _serve(task_id: UUID) -> bool:
    """Queue one task and assign a robot to it; False when it or its robot is locked."""
    with database.transaction() as session:
        task = database.row_lock_or_skip(session, DeliveryTask, task_id)
        if task is None:
            return False
        if task.status is TaskStatus.PENDING:
            workflow.apply(session, task, Action.TAKE, TransitionContext(by=_BY))
        return task.status is TaskStatus.QUEUED and _assign_robot(session, task)


def _assign_robot(session: Session, task: DeliveryTask) -> bool:
    robot_id = _nearest_assignable(session, task)
    if robot_id is None:
        return False
    robot: Robot | None = session.execute(
        select(Robot)
        .where(Robot.id == robot_id, commands.is_assignable())
        .with_for_update(of=Robot, skip_locked=True)
    ).scalar_one_or_none()
    if robot is None:  # changed or locked since it was chosen: the next sweep tries again
        return False
    workflow.apply(session, task, Action.ASSIGN, TransitionContext(by=_BY, robot_id=robot.id))
    return True


def _nearest_assignable(session: Session, task: DeliveryTask) -> UUID | None:
    graph = route_graph.current(session)
    robots = session.execute(
        select(Robot).where(commands.is_assignable()).order_by(Robot.id)
    ).scalars()
    candidates = [
        (distance, robot)
        for robot in robots
        if (distance := _distance_to_source(graph, robot, task)) < math.inf
        and _has_battery(graph, robot, task, distance)
    ]
    return min(candidates, key=lambda candidate: candidate[0])[1].id if candidates else None


def _distance_to_source(graph: RouteGraph, robot: Robot, task: DeliveryTask) -> float:
    here = graph.nearest(robot.pose)
    return math.inf if here is None else graph.length(here.id, task.source_waypoint_id)


def _has_battery(graph: RouteGraph, robot: Robot, task: DeliveryTask, to_source: float) -> bool:
    """Whether the battery lasts for the whole trip plus the reserve."""
    settings = config.robots()
    trip = to_source + graph.length(task.source_waypoint_id, task.destination_waypoint_id)
    needed = trip * settings.battery_per_metre + settings.battery_reserve
    return robot.battery_level is not None and robot.battery_level >= needed
