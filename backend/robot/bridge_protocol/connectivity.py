"""Connectivity of robots: ONLINE → STALE (10 s without a heartbeat) → OFFLINE (15 s).

Silence counts only while LUNA could receive heartbeats: since the robot service has been up
without a break. So a restart never marks a whole fleet OFFLINE. Each instance of the service keeps
in memory when it received each robot's last heartbeat, and stores that with its own heartbeat in
PostgreSQL, one row every two seconds: Redis has no part in it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.robot.bridge_protocol import heartbeats
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
_SERVICE = "robot-service"
_RETENTION = timedelta(minutes=2)  # of heartbeats in memory
_received: dict[UUID, datetime] = {}


def record_received(robot_id: UUID) -> None:
    """Record in memory that the robot's heartbeat was received now."""
    _received[robot_id] = clock.now()


def is_marked_online(robot_id: UUID) -> bool:
    """Whether the last heartbeat is so recent that no sweep has marked the robot STALE since."""
    settings, received = config.robots(), _received.get(robot_id)
    limit = settings.stale_after - settings.heartbeat_interval / 2
    return received is not None and clock.now() - received < limit


def _received_heartbeats() -> dict[str, Any]:
    oldest = clock.now() - _RETENTION
    for robot_id in [each for each, at in _received.items() if at < oldest]:
        del _received[robot_id]
    return {"received": {str(robot_id): at.timestamp() for robot_id, at in _received.items()}}


process_heartbeats.include(_SERVICE, _received_heartbeats)


def sweep(session: Session) -> None:
    """Mark robots without recent heartbeats as STALE or OFFLINE."""
    robots = session.execute(
        select(Robot.id, Robot.last_heartbeat).where(
            Robot.connectivity.in_([Connectivity.ONLINE, Connectivity.STALE]),
            Robot.retired_at.is_(None),
        )
    ).all()
    since = process_heartbeats.alive_since(session, _SERVICE) if robots else None
    if since is None:
        return
    received, settings, now = _last_received(session), config.robots(), clock.now()
    silent: dict[UUID, Connectivity] = {}
    for robot_id, written in robots:
        silence = now - max(filter(None, [written, received.get(robot_id), since]))
        if silence >= settings.offline_after:
            silent[robot_id] = Connectivity.OFFLINE
        elif silence >= settings.stale_after:
            silent[robot_id] = Connectivity.STALE
    database.run_each(silent, lambda own, each: set_connectivity(own, each, silent[each]))


def _last_received(session: Session) -> dict[UUID, datetime]:
    """When any instance received each robot's last heartbeat."""
    last: dict[UUID, datetime] = {}
    for details in process_heartbeats.details_of(session, _SERVICE, _RETENTION):
        for robot_id, seconds in details.get("received", {}).items():
            at, robot = datetime.fromtimestamp(seconds, UTC), UUID(robot_id)
            last[robot] = max(at, last.get(robot, at))
    return last


def set_connectivity(session: Session, robot_id: UUID, connectivity: Connectivity) -> None:
    """Set a robot's connectivity and handle the loss of a robot with a task.

    A robot that is locked, or whose task is, keeps its connectivity until the next sweep.
    """
    # lock order: task, then robot
    task_id = commands.active_task_id(session, robot_id)
    task = database.row_lock_or_skip(session, DeliveryTask, task_id) if task_id else None
    robot = database.row_lock_or_skip(session, Robot, robot_id)
    is_locked = robot is None or (task is None and task_id is not None)
    if robot is None or is_locked or robot.connectivity is connectivity:
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
    database.run_each(driving.all(), commands.issue_pending)
