"""A bridge's session and its heartbeats (robot-protocol.md §1–2).

A new session raises the epoch, and whatever comes from an older one is refused. A heartbeat goes
to Redis and the live view each time; PostgreSQL is written when something changed or every 30 s.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, ScalarSelect, bindparam, func, select, update
from sqlalchemy.orm import Session, aliased

from backend.robot.bridge_protocol import command_leases
from backend.robot.schemas.bridge import Desired, Heartbeat
from backend.robot.service import telemetry
from backend.shared.domain import commands
from backend.shared.errors import StaleEpoch
from backend.shared.events import RobotCameOnline, RobotStatusChanged
from backend.shared.infra import clock, config, database
from backend.shared.messaging import outbox
from backend.shared.models import (
    ACTIVE_COMMAND_STATUSES,
    ACTIVE_TASK_STATUSES,
    IN_FLIGHT_COMMAND_STATUSES,
    MOTION_COMMAND_TYPES,
    CommandStatus,
    Connectivity,
    DeliveryTask,
    Robot,
    RobotCommand,
    RobotStatus,
    Waypoint,
)
from backend.shared.web.pagination import AnySelect

_RENEW_BELOW = timedelta(seconds=10)  # of a lease's 15 s


_BATTERY_STEP = 0.01


_SMOOTHING = 0.2  # of the measured speed


_SPEED_STEP = 0.2  # of its value; a smaller change is no news


_Known = Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class HeartbeatResult:
    """What a heartbeat led to, and what there is to answer."""

    stop_version: int
    desired: Desired
    commands_waiting: int
    task_id: UUID | None
    request_id: UUID | None
    return_id: UUID | None
    came_online: bool
    has_unknown: bool
    live: dict[str, Any]


def _known_statement() -> AnySelect:
    """All that a heartbeat is compared with, in one select. Built once: it runs at 1 Hz a robot."""
    return (
        select(
            Robot.epoch,
            Robot.robot_name,
            Robot.status,
            Robot.connectivity,
            Robot.current_location,
            Robot.battery_level,
            Robot.charging,
            Robot.docked,
            Robot.heartbeat_seq,
            Robot.last_heartbeat,
            Robot.speed,
            Robot.stop_version,
            Robot.stopped_at,
            DeliveryTask.id.label("task_id"),
            DeliveryTask.request_id,
            DeliveryTask.return_id,
            RobotCommand.id.label("command_id"),
            RobotCommand.status.label("command_status"),
            RobotCommand.leased_until,
            _waiting().label("commands_waiting"),
        )
        .outerjoin(
            DeliveryTask,
            (DeliveryTask.assigned_robot_id == Robot.id)
            & DeliveryTask.status.in_(ACTIVE_TASK_STATUSES),
        )
        .outerjoin(
            RobotCommand,
            (RobotCommand.robot_id == Robot.id)
            & RobotCommand.type.in_(MOTION_COMMAND_TYPES)
            & RobotCommand.status.in_(ACTIVE_COMMAND_STATUSES),
        )
        .where(Robot.id == bindparam("for_robot"))
    )


def _waiting() -> ScalarSelect[int]:
    """How many commands wait for the robot."""
    waits = aliased(RobotCommand)
    return (
        select(func.count())
        .select_from(waits)
        .where(waits.robot_id == Robot.id, waits.status == CommandStatus.QUEUED)
        .scalar_subquery()
    )


_KNOWN = _known_statement()


def record_heartbeat(
    session: Session, robot_id: UUID, beat: Heartbeat, *, redis_is_up: bool
) -> HeartbeatResult:
    """Take a heartbeat. Without Redis each one is written, so that no robot seems lost."""
    known = session.execute(_KNOWN, {"for_robot": robot_id}).one()
    if beat.epoch != known.epoch:
        raise StaleEpoch(epoch=beat.epoch, current=known.epoch)
    came_online = known.connectivity is not Connectivity.ONLINE
    if beat.seq >= known.heartbeat_seq and (
        not redis_is_up or came_online or _is_news(known, beat)
    ):
        _write(session, robot_id, beat)
    _renew_lease(session, known, beat)
    unknown = known.command_status is CommandStatus.UNKNOWN
    return HeartbeatResult(
        stop_version=known.stop_version,
        desired=Desired.STOP if known.stopped_at is not None else Desired.RUN,
        commands_waiting=known.commands_waiting,
        task_id=known.task_id,
        request_id=known.request_id,
        return_id=known.return_id,
        came_online=came_online,
        has_unknown=unknown and beat.active_command != known.command_id,
        live=_live(robot_id, known, beat),
    )


def _is_news(known: _Known, beat: Heartbeat) -> bool:
    due = clock.now() - config.robots().heartbeat_write_interval
    drained = abs((known.battery_level or 0.0) - beat.battery) >= _BATTERY_STEP
    return bool(
        known.last_heartbeat is None
        or known.last_heartbeat <= due
        or drained
        or (known.charging, known.docked) != (beat.charging, beat.docked)
        or (beat.waypoint is not None and beat.waypoint != known.current_location)
        or beat.errors
        or known.status is RobotStatus.ERROR
        or abs((known.speed or 0.0) - beat.speed) > _SPEED_STEP * beat.speed
    )


def _write(session: Session, robot_id: UUID, beat: Heartbeat) -> None:
    robot = database.row_lock(session, Robot, robot_id)
    before = (robot.status, robot.connectivity, robot.current_location)
    was_offline = robot.connectivity in {Connectivity.OFFLINE, Connectivity.NEVER_SEEN}
    telemetry.note_battery(session, robot, beat)
    robot.pose = beat.pose.model_dump()
    if beat.waypoint is not None:
        robot.current_location = beat.waypoint
    robot.charging, robot.docked = beat.charging, beat.docked
    robot.sensor_data = {**beat.sensors, "safety": beat.safety.model_dump()}
    robot.connectivity = Connectivity.ONLINE
    robot.last_heartbeat, robot.heartbeat_seq = clock.now(), beat.seq
    if beat.speed > 0:
        usual = robot.speed if robot.speed is not None else beat.speed
        robot.speed = (1 - _SMOOTHING) * usual + _SMOOTHING * beat.speed
    telemetry.note_errors(session, robot, beat)
    session.flush()
    if was_offline:
        outbox.publish(session, RobotCameOnline(robot_id=robot.id, robot_name=robot.robot_name))
    if (robot.status, robot.connectivity, robot.current_location) != before:
        publish_status(session, robot)


def publish_status(session: Session, robot: Robot) -> None:
    outbox.publish(
        session,
        RobotStatusChanged(
            robot_id=robot.id,
            robot_name=robot.robot_name,
            status=robot.status,
            connectivity=robot.connectivity,
            location=robot.current_location,
            battery=robot.battery_level,
        ),
    )


def _renew_lease(session: Session, known: _Known, beat: Heartbeat) -> None:
    """A heartbeat that names its command keeps the lease; an unknown one is known again."""
    if beat.active_command is None or beat.active_command != known.command_id:
        return
    until: datetime | None = known.leased_until
    lapses = until is not None and until < clock.now() + _RENEW_BELOW
    if known.command_status not in IN_FLIGHT_COMMAND_STATUSES or not (
        lapses or known.command_status is CommandStatus.UNKNOWN
    ):
        return
    values: dict[str, Any] = {
        "leased_until": clock.now() + config.robots().command_lease,
        "epoch": beat.epoch,  # the newest session has taken the command over
    }
    if known.command_status is CommandStatus.UNKNOWN:
        values["status"] = CommandStatus.STARTED
    session.execute(
        update(RobotCommand)
        .where(RobotCommand.id == known.command_id, RobotCommand.status == known.command_status)
        .values(**values)
    )


def resolve_unknown_command(session: Session, robot_id: UUID, beat: Heartbeat) -> None:
    """A command was under way when contact was lost, and the robot no longer names it.

    It is there, or it must be asked again. Lock order: task, robot, command.
    """
    task_id = commands.active_task_id(session, robot_id)
    task = database.row_lock(session, DeliveryTask, task_id) if task_id is not None else None
    robot = database.row_lock(session, Robot, robot_id)
    command: RobotCommand | None = session.execute(
        select(RobotCommand)
        .where(RobotCommand.robot_id == robot_id, RobotCommand.status == CommandStatus.UNKNOWN)
        .with_for_update()
    ).scalar_one_or_none()
    if command is None or beat.active_command == command.id or beat.epoch != robot.epoch:
        return
    target = session.get(Waypoint, command.target_waypoint_id)
    if target is not None and beat.waypoint == target.name:
        command_leases.arrive_silently(session, robot, command)
        return
    command.status, command.finished_at = CommandStatus.VOID, clock.now()
    session.flush()
    if task is not None and commands.needs_navigation(task):
        commands.issue_navigation(session, task)


def issue_pending_command(session: Session, robot_id: UUID) -> None:
    """Tell a robot that can drive again where its task leads."""
    task_id = commands.active_task_id(session, robot_id)
    if task_id is not None:
        commands.issue_pending(session, task_id)


def _live(robot_id: UUID, known: _Known, beat: Heartbeat) -> dict[str, Any]:
    return {
        "id": str(robot_id),
        "robot_name": known.robot_name,
        "status": known.status,
        "connectivity": Connectivity.ONLINE.value,
        "current_location": beat.waypoint,
        "pose": beat.pose.model_dump(),
        "battery_level": beat.battery,
        "charging": beat.charging,
        "docked": beat.docked,
        "speed": beat.speed,
        "stopped": known.stopped_at is not None,
        "task_id": str(known.task_id) if known.task_id is not None else None,
        "last_heartbeat": clock.iso(clock.now()),
    }


def live_bytes(heard: HeartbeatResult) -> bytes:
    return json.dumps(heard.live).encode()
