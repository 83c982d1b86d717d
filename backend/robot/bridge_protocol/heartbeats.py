"""Heartbeats of robots (robot-protocol.md §2).

Each heartbeat goes to Redis and the live view (`live_copies`); PostgreSQL is written when a value
changed, or every 30 s (`due_writes`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.robot.bridge_protocol import command_reports, robot_states
from backend.robot.bridge_protocol.robot_states import RobotState
from backend.robot.schemas.bridges import Desired, Heartbeat, HeartbeatAnswer
from backend.robot.service import telemetry
from backend.shared.domain import commands, stop_latches
from backend.shared.domain.stop_latches import Order
from backend.shared.errors import StaleEpoch
from backend.shared.events import RobotCameOnline, RobotStatusChanged
from backend.shared.infra import clock, config, database
from backend.shared.messaging import outbox
from backend.shared.models import (
    IN_FLIGHT_COMMAND_STATUSES,
    CommandStatus,
    Connectivity,
    DeliveryTask,
    Robot,
    RobotCommand,
    RobotStatus,
    Waypoint,
)

_RENEW_BELOW = timedelta(seconds=10)  # of a lease's 15 s
_BATTERY_STEP = 0.01  # a smaller change is not written
_SPEED_STEP = 0.2  # of its value; likewise
_SPEED_SMOOTHING = 0.2  # weight of the newest measurement

# The number of each robot's newest heartbeat, since most are not written.
_newest: dict[UUID, tuple[int, int]] = {}


@dataclass(frozen=True)
class HeartbeatResult:
    """The response to a heartbeat, and what is left to do after it."""

    answer: HeartbeatAnswer
    request_id: UUID | None
    return_id: UUID | None
    came_online: bool
    has_unknown_command: bool
    live: dict[str, Any] | None  # None for a heartbeat that a newer one has overtaken


def record_heartbeat(session: Session, robot_id: UUID, beat: Heartbeat) -> HeartbeatResult:
    """Record a heartbeat; StaleEpoch when a newer session is open."""
    robot = session.execute(robot_states.ONE, {"for_robot": robot_id}).one()
    if beat.epoch != robot.epoch:
        raise StaleEpoch(epoch=beat.epoch, current=robot.epoch)
    order = stop_latches.read_order(session, robot_id)
    result = summarize(robot_id, robot, beat, order)
    if result.live is not None and (_is_changed(robot, beat) or is_due(robot)):
        _write(session, robot_id, beat)
    if _is_lease_due(robot, beat):
        _renew_lease(session, robot, beat)
    return result


def changes_nothing(robot: RobotState, beat: Heartbeat) -> bool:
    """Whether the robot's session is current and nothing has changed or is to be resolved."""
    return (
        beat.epoch == robot.epoch
        and robot.command_status is not CommandStatus.UNKNOWN
        and beat.active_command in {None, robot.command_id}
        and not _is_lease_over(robot)
        and not _is_lease_due(robot, beat)
        and not _is_changed(robot, beat)
        and not (beat.charging and is_due(robot))  # it may serve again from some level on
    )


def summarize(robot_id: UUID, robot: RobotState, beat: Heartbeat, order: Order) -> HeartbeatResult:
    """Build the response to a heartbeat and what is left to do after it."""
    is_unknown = robot.command_status is CommandStatus.UNKNOWN
    return HeartbeatResult(
        answer=HeartbeatAnswer(
            stop_version=order.version,
            desired=_desired(robot, order),
            commands_waiting=robot.commands_waiting,
            poll_after_ms=0,
        ),
        request_id=robot.request_id,
        return_id=robot.return_id,
        came_online=robot.connectivity is not Connectivity.ONLINE,
        has_unknown_command=is_unknown and beat.active_command != robot.command_id,
        live=_live_status(robot_id, robot, beat, order) if _is_newest(robot, beat) else None,
    )


def _desired(robot: RobotState, order: Order) -> Desired:
    if order.stopped:
        return Desired.STOP
    return Desired.RUN if robot.paused_at is None else Desired.PAUSE


def _is_newest(robot: RobotState, beat: Heartbeat) -> bool:
    number = (beat.epoch, beat.seq)
    if number < max(_newest.get(robot.id, (0, 0)), (robot.epoch, robot.heartbeat_seq)):
        return False
    _newest[robot.id] = number
    return True


def is_due(robot: RobotState) -> bool:
    """Whether the robot's last written heartbeat is so old that the next one is written."""
    due = clock.now() - config.robots().heartbeat_write_interval
    return robot.last_heartbeat is None or robot.last_heartbeat <= due


def _is_changed(robot: RobotState, beat: Heartbeat) -> bool:
    drained = abs((robot.battery_level or 0.0) - beat.battery) >= _BATTERY_STEP
    return bool(
        robot.connectivity is not Connectivity.ONLINE
        or drained
        or (robot.charging, robot.docked) != (beat.charging, beat.docked)
        or (beat.waypoint is not None and beat.waypoint != robot.current_location)
        or beat.errors
        or robot.status is RobotStatus.ERROR
        or _is_average_outdated(robot, beat)
    )


def _is_average_outdated(robot: RobotState, beat: Heartbeat) -> bool:
    """Whether the speed differs much from the robot's average, which is of its drives alone."""
    return beat.speed > 0 and abs((robot.speed or 0.0) - beat.speed) > _SPEED_STEP * beat.speed


def _write(session: Session, robot_id: UUID, beat: Heartbeat) -> None:
    robot = database.row_lock(session, Robot, robot_id)
    before = (robot.status, robot.connectivity, robot.current_location)
    was_offline = robot.connectivity in {Connectivity.OFFLINE, Connectivity.NEVER_SEEN}
    telemetry.record_battery(session, robot, beat)
    telemetry.record_place(session, robot, beat)
    if beat.waypoint is not None:
        robot.current_location = beat.waypoint
    robot.charging, robot.docked = beat.charging, beat.docked
    robot.sensor_data = {**beat.sensors, "safety": beat.safety.model_dump()}
    robot.connectivity = Connectivity.ONLINE
    robot.last_heartbeat, robot.heartbeat_seq = clock.now(), beat.seq
    if beat.speed > 0:
        average = robot.speed if robot.speed is not None else beat.speed
        robot.speed = (1 - _SPEED_SMOOTHING) * average + _SPEED_SMOOTHING * beat.speed
    telemetry.record_errors(session, robot, beat)
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


def _is_lease_over(robot: RobotState) -> bool:
    """Whether the active command's lease has ended, so that it may be UNKNOWN by now."""
    return robot.leased_until is not None and robot.leased_until <= clock.now()


def _is_lease_due(robot: RobotState, beat: Heartbeat) -> bool:
    """Whether the heartbeat names the active command and its lease is to be renewed."""
    if beat.active_command is None or beat.active_command != robot.command_id:
        return False
    if robot.command_status not in IN_FLIGHT_COMMAND_STATUSES:
        return False
    until: datetime | None = robot.leased_until
    expires_soon = until is not None and until < clock.now() + _RENEW_BELOW
    return expires_soon or robot.command_status is CommandStatus.UNKNOWN


def _renew_lease(session: Session, robot: RobotState, beat: Heartbeat) -> None:
    """Renew the lease of the command that the heartbeat names; UNKNOWN becomes STARTED."""
    values: dict[str, Any] = {
        "leased_until": clock.now() + config.robots().command_lease,
        "epoch": beat.epoch,  # the newest session holds the command now
    }
    if robot.command_status is CommandStatus.UNKNOWN:
        values["status"] = CommandStatus.STARTED
    session.execute(
        update(RobotCommand)
        .where(RobotCommand.id == robot.command_id, RobotCommand.status == robot.command_status)
        .values(**values)
    )


def resolve_unknown_command(session: Session, robot_id: UUID, beat: Heartbeat) -> None:
    """Decide about an UNKNOWN command that the robot's heartbeat no longer names.

    It has succeeded if the robot is at its target, else it is issued anew. Lock order: task,
    robot, command.
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
    pose = beat.pose.model_dump()
    if (
        target is not None
        and beat.waypoint == target.name
        and command_reports.is_near(target, pose)
    ):
        command_reports.finish_arrived(session, robot, command)
        return
    command.status, command.finished_at = CommandStatus.VOID, clock.now()
    session.flush()
    if task is not None and commands.needs_navigation(task):
        commands.issue_navigation(session, task)


def issue_pending_command(session: Session, robot_id: UUID) -> None:
    """Issue the command that the robot's task is waiting for, if any."""
    task_id = commands.active_task_id(session, robot_id)
    if task_id is not None:
        commands.issue_pending(session, task_id)


def _live_status(
    robot_id: UUID, robot: RobotState, beat: Heartbeat, order: Order
) -> dict[str, Any]:
    return {
        "id": str(robot_id),
        "robot_name": robot.robot_name,
        "status": robot.status,
        "connectivity": Connectivity.ONLINE.value,
        "current_location": beat.waypoint,
        "pose": beat.pose.model_dump(),
        "battery_level": beat.battery,
        "charging": beat.charging,
        "docked": beat.docked,
        "speed": beat.speed,
        "stopped": order.stopped,
        "task_id": str(robot.task_id) if robot.task_id is not None else None,
        "last_heartbeat": clock.iso(clock.now()),
    }
