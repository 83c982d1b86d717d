"""Who is silent: ONLINE → STALE (10 s) → OFFLINE (15 s), and what then happens to its journey.

Silence counts only while LUNA itself could hear: since the robot service began to answer without
a break, and since Redis remembers. So a restart never declares a whole fleet lost.
"""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.robot.bridge_protocol import heartbeats
from backend.robot.service import registry
from backend.shared.domain import commands, task_effects, workflow
from backend.shared.domain.workflow import Action, TransitionContext
from backend.shared.events import RobotWentOffline, TaskNeedsAttention
from backend.shared.infra import clock, config, database, redis
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

_MEMORY_KEY = "fleet:remembered_since"
ROBOT_OFFLINE = "ROBOT_OFFLINE"


def sweep(session: Session) -> None:
    """Look for robots that have gone silent."""
    hearing_since = process_heartbeats.alive_since(session, "robot-service")
    remembered_since = _remembered_since()
    if hearing_since is None or remembered_since is None:
        return
    since = max(hearing_since, remembered_since)
    robots = session.execute(
        select(Robot.id, Robot.last_heartbeat).where(
            Robot.connectivity.in_([Connectivity.ONLINE, Connectivity.STALE]),
            Robot.retired_at.is_(None),
        )
    ).all()
    heard = _heard([robot.id for robot in robots])
    for robot_id, written in robots:
        last = max(filter(None, [written, heard.get(robot_id), since]))
        silence = clock.now() - last
        if silence >= config.robots().offline_after:
            _declare(session, robot_id, Connectivity.OFFLINE)
        elif silence >= config.robots().stale_after:
            _declare(session, robot_id, Connectivity.STALE)


def _remembered_since() -> datetime | None:
    """Since when Redis has kept what robots say; now, when it has just been flushed or is away.

    While it is away every heartbeat is written to PostgreSQL; the first sweep after that begins
    anew, so that nobody is judged by what could not be kept.
    """
    if redis.is_up():
        with redis.guarded():
            now = clock.now().timestamp()
            redis.client().set(_MEMORY_KEY, str(now), nx=True)
            kept = redis.client().get(_MEMORY_KEY)
            if isinstance(kept, bytes):
                return datetime.fromtimestamp(float(kept), UTC)
    return None


def _heard(robot_ids: list[UUID]) -> dict[UUID, datetime]:
    if not robot_ids:
        return {}
    with redis.guarded():
        found = redis.client().mget([registry.heard_key(robot_id) for robot_id in robot_ids])
        return {
            robot_id: datetime.fromtimestamp(float(value), UTC)
            for robot_id, value in zip(robot_ids, found, strict=True)
            if isinstance(value, bytes)
        }
    return {}


def _declare(session: Session, robot_id: UUID, silence: Connectivity) -> None:
    """Lock order: task, then robot."""
    task_id = commands.active_task_id(session, robot_id)
    task = database.row_lock(session, DeliveryTask, task_id) if task_id is not None else None
    robot = database.row_lock(session, Robot, robot_id)
    if robot.connectivity is silence:
        return
    robot.connectivity = silence
    session.flush()
    heartbeats.publish_status(session, robot)
    if silence is not Connectivity.OFFLINE:
        return
    outbox.publish(session, RobotWentOffline(robot_id=robot.id, robot_name=robot.robot_name))
    if task is not None and task.assigned_robot_id == robot.id:
        _release_or_alert(session, task)


def _release_or_alert(session: Session, task: DeliveryTask) -> None:
    """Not loaded yet: another robot does it. Loaded: the task keeps its robot, staff are told."""
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
    """The safety net: every driving task whose robot is able and has no command gets one."""
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
