"""Connectivity of robots: ONLINE → STALE (10 s without a heartbeat) → OFFLINE (15 s).

Silence counts only while LUNA could receive heartbeats: since the robot service has been up
without a break, and since Redis has kept them. So a restart never marks a whole fleet OFFLINE.
"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.robot.bridge_protocol import heartbeats, live_copies
from backend.shared.domain import commands, task_effects, workflow
from backend.shared.domain.transitions import Action
from backend.shared.domain.workflow import TransitionContext
from backend.shared.events import RobotWentOffline, TaskNeedsAttention
from backend.shared.infra import clock, config, database
from backend.shared.messaging import outbox, process_heartbeats
from backend.shared.models import (
    ACTIVE_COMMAND_STATUSES,
    ACTIVE_TASK_STATUSES,
    MOTION_COMMAND_TYPES,
    Connectivity,
    DeliveryTask,
    Robot,
    RobotCommand,
    TaskStatus,
)

ROBOT_OFFLINE = "ROBOT_OFFLINE"


def sweep(session: Session) -> None:
    """Mark robots without recent heartbeats as STALE or OFFLINE."""
    receiving_since = process_heartbeats.alive_since(session, "robot-service")
    retained_since = live_copies.retained_since()
    if receiving_since is None or retained_since is None:
        return
    since = max(receiving_since, retained_since)
    robots = session.execute(
        select(Robot.id, Robot.last_heartbeat).where(
            Robot.connectivity.in_([Connectivity.ONLINE, Connectivity.STALE]),
            Robot.retired_at.is_(None),
        )
    ).all()
    cached = live_copies.last_heartbeats([robot.id for robot in robots])
    for robot_id, written in robots:
        silence = clock.now() - max(filter(None, [written, cached.get(robot_id), since]))
        if silence >= config.robots().offline_after:
            set_connectivity(session, robot_id, Connectivity.OFFLINE)
        elif silence >= config.robots().stale_after:
            set_connectivity(session, robot_id, Connectivity.STALE)


def set_connectivity(session: Session, robot_id: UUID, connectivity: Connectivity) -> None:
    """Set a robot's connectivity and handle the loss of a robot with a task."""
    # lock order: task, then robot
    task_id = commands.active_task_id(session, robot_id)
    task = database.row_lock(session, DeliveryTask, task_id) if task_id is not None else None
    robot = database.row_lock(session, Robot, robot_id)
    if robot.connectivity is connectivity:
        return
    robot.connectivity = connectivity
    session.flush()
    heartbeats.publish_status(session, robot)
    if connectivity is not Connectivity.OFFLINE:
        return
    outbox.publish(session, RobotWentOffline(robot_id=robot.id, robot_name=robot.robot_name))
    if task is not None and task.assigned_robot_id == robot.id:
        _release_or_alert(session, task)


def _release_or_alert(session: Session, task: DeliveryTask) -> None:
    """Release a task that is not loaded yet; for a loaded one, which keeps its robot, alert."""
    if task.status is TaskStatus.ASSIGNED:
        workflow.apply(
            session,
            task,
            Action.RELEASE,
            TransitionContext(by="connectivity", reason=ROBOT_OFFLINE),
        )
    elif task.status is TaskStatus.IN_PROGRESS:
        task_effects.publish_task_event(session, task, TaskNeedsAttention, ROBOT_OFFLINE)


def issue_pending_commands(session: Session) -> None:
    """Issue a command for each driving task that has none and whose robot is able."""
    driving = session.execute(
        select(DeliveryTask.id)
        .where(DeliveryTask.status.in_(ACTIVE_TASK_STATUSES), DeliveryTask.arrived_at.is_(None))
        .where(
            ~select(RobotCommand.id)
            .where(
                RobotCommand.robot_id == DeliveryTask.assigned_robot_id,
                RobotCommand.type.in_(MOTION_COMMAND_TYPES),
                RobotCommand.status.in_(ACTIVE_COMMAND_STATUSES),
            )
            .exists()
        )
    ).scalars()
    for task_id in driving.all():
        commands.issue_pending(session, task_id)
