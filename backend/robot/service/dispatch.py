"""The dispatcher: which robot serves which task (workflow.md §3).

By priority, then age; of the robots that are fit, the one with the shortest drive to the source.
One dispatcher at a time (a database lock), and the index `uq_delivery_tasks_active_robot` would
refuse a second assignment even so.
"""

import math
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.robot import queries
from backend.shared.domain import commands, eta, route_graph, workflow
from backend.shared.domain.route_graph import RouteGraph
from backend.shared.domain.workflow import Action, TransitionContext
from backend.shared.infra import config, database
from backend.shared.models import DeliveryTask, Robot, TaskStatus

_LOCK = 7_305_461_002


_BY = "dispatcher"


def run(session: Session) -> int:
    """Take new tasks into the queue and send robots; how many were sent."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    waiting = session.execute(
        select(DeliveryTask.id)
        .where(DeliveryTask.status.in_([TaskStatus.PENDING, TaskStatus.QUEUED]))
        .order_by(*queries.SERVING_ORDER)
    ).scalars()
    sent = 0
    for task_id in waiting.all():
        task = database.row_lock(session, DeliveryTask, task_id)
        if task.status is TaskStatus.PENDING:
            workflow.apply(session, task, Action.TAKE, TransitionContext(by=_BY))
        if task.status is TaskStatus.QUEUED and _send_a_robot(session, task):
            sent += 1
    return sent


def _send_a_robot(session: Session, task: DeliveryTask) -> bool:
    robot_id = _nearest_fit(session, task)
    if robot_id is None:
        return False
    robot: Robot | None = session.execute(
        select(Robot)
        .where(Robot.id == robot_id, commands.is_assignable())
        .with_for_update(of=Robot)
    ).scalar_one_or_none()
    if robot is None:  # no longer fit since it was chosen: the next sweep looks again
        return False
    task.eta = eta.estimate(session, task, robot.pose, robot.speed)
    workflow.apply(session, task, Action.ASSIGN, TransitionContext(by=_BY, robot_id=robot.id))
    return True


def _nearest_fit(session: Session, task: DeliveryTask) -> UUID | None:
    places = route_graph.current(session)
    robots = session.execute(
        select(Robot).where(commands.is_assignable()).order_by(Robot.id)
    ).scalars()
    reach = [
        (distance, robot)
        for robot in robots
        if (distance := _to_source(places, robot, task)) < math.inf
        and _has_battery(places, robot, task, distance)
    ]
    return min(reach, key=lambda found: found[0])[1].id if reach else None


def _to_source(places: RouteGraph, robot: Robot, task: DeliveryTask) -> float:
    here = places.nearest(robot.pose)
    return math.inf if here is None else places.length(here.id, task.source_waypoint_id)


def _has_battery(places: RouteGraph, robot: Robot, task: DeliveryTask, to_source: float) -> bool:
    """Enough for the whole trip plus the reserve."""
    settings = config.robots()
    trip = to_source + places.length(task.source_waypoint_id, task.destination_waypoint_id)
    needed = trip * settings.battery_per_metre + settings.battery_reserve
    return robot.battery_level is not None and robot.battery_level >= needed
