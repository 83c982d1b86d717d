"""Battery level and errors of robots, recorded from heartbeats."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.robot.schemas.bridges import ErrorLevel, Heartbeat
from backend.shared.domain import commands, route_graph
from backend.shared.events import RobotErrorReported, RobotFreed
from backend.shared.infra import clock, config
from backend.shared.messaging import outbox
from backend.shared.models import Robot, RobotError, RobotStatus

_MAX_BATTERY_CHANGE = 0.3  # physics allows no more within the window
_BATTERY_WINDOW = timedelta(seconds=60)
_DISABLING = frozenset({ErrorLevel.CRITICAL, ErrorLevel.FATAL})
_REPEAT_INTERVAL = timedelta(minutes=1)
_TOO_MANY = "TOO_MANY_ERRORS"
# The impossible level that each robot reports to this process, since when and until when.
_doubted: dict[UUID, tuple[float, datetime, datetime]] = {}


def record_battery(session: Session, robot: Robot, beat: Heartbeat) -> None:
    """Store the battery level, or report an error when the change is impossible.

    A level that is reported for a minute is stored: the battery may have been replaced.
    """
    recent = (
        robot.last_heartbeat is not None and robot.last_heartbeat > clock.now() - _BATTERY_WINDOW
    )
    level = robot.battery_level
    is_jump = recent and level is not None and _is_impossible(level, beat.battery)
    if is_jump and not _has_lasted(robot.id, beat.battery):
        message = f"battery jumped from {level:.0%} to {beat.battery:.0%}: doubted for a minute"
        add_error(session, robot, "BATTERY_JUMP", ErrorLevel.WARNING, message)
        return
    _doubted.pop(robot.id, None)
    robot.battery_level = beat.battery
    ready = config.robots().battery_ready
    if beat.charging and level is not None and level < ready <= beat.battery:
        publish_freed(session, robot)


def _is_impossible(before: float, after: float) -> bool:
    return abs(before - after) > _MAX_BATTERY_CHANGE


def _has_lasted(robot_id: UUID, level: float) -> bool:
    """Whether the robot has reported about this level for a minute, without a pause."""
    now = clock.now()
    first, since, last = _doubted.get(robot_id, (level, now, now))
    if _is_impossible(first, level) or now - last > config.robots().offline_after:
        first, since = level, now
    _doubted[robot_id] = (first, since, now)
    return now - since >= _BATTERY_WINDOW


def record_place(session: Session, robot: Robot, beat: Heartbeat) -> None:
    """Store the pose; report an error while it is so far off the map that it can't be true.

    Nothing is planned from such a pose: the robot gets no task and no command to move.
    """
    robot.pose = beat.pose.model_dump()
    if route_graph.current(session).nearest(robot.pose) is None:
        message = (
            f"it reports x {beat.pose.x:.0f} m, y {beat.pose.y:.0f} m, floor {beat.pose.floor}"
        )
        add_error(session, robot, "OFF_THE_MAP", ErrorLevel.URGENT, message)


def record_errors(session: Session, robot: Robot, beat: Heartbeat) -> None:
    """Store the errors; a critical or fatal one sets the robot's status to ERROR while it lasts."""
    for error in beat.errors:
        add_error(session, robot, error.type, error.level, error.message)
    if any(error.level in _DISABLING for error in beat.errors):
        if robot.status is not RobotStatus.MAINTENANCE:
            robot.status = RobotStatus.ERROR
    elif robot.status is RobotStatus.ERROR:
        travelling = commands.active_task_id(session, robot.id) is not None
        robot.status = RobotStatus.BUSY if travelling else RobotStatus.IDLE
        publish_freed(session, robot)


def publish_freed(session: Session, robot: Robot) -> None:
    outbox.publish(session, RobotFreed(robot_id=robot.id, robot_name=robot.robot_name))


def add_error(session: Session, robot: Robot, kind: str, level: ErrorLevel, message: str) -> None:
    """Store an error at most once a minute, and a bounded number of all types together."""
    recent = session.execute(
        select(RobotError.type).where(
            RobotError.robot_id == robot.id,
            RobotError.created_at > clock.now() - _REPEAT_INTERVAL,
        )
    ).scalars()
    types = recent.all()
    if kind in types or len(types) > config.robots().errors_per_minute:
        return
    if len(types) == config.robots().errors_per_minute:
        kind, level = _TOO_MANY, ErrorLevel.WARNING
        message = "The robot reports too many errors: further ones are dropped for a minute."
    session.add(RobotError(robot_id=robot.id, type=kind, level=level, message=message))
    session.flush()
    outbox.publish(
        session,
        RobotErrorReported(
            robot_id=robot.id,
            robot_name=robot.robot_name,
            error_type=kind,
            level=level,
            message=message,
        ),
    )
