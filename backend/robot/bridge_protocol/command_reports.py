"""A bridge's reports about its commands: fenced by the lease token, idempotent by number."""

import hashlib
import json
import math
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.robot.schemas.bridges import CommandReportBody, ReportType
from backend.robot.service import docking, edges
from backend.shared.domain import stop_latches, task_effects
from backend.shared.errors import Conflict, LeaseLost, NotFound
from backend.shared.events import (
    CommandAccepted,
    CommandFailed,
    CommandStarted,
    CommandSucceeded,
    TaskNeedsAttention,
)
from backend.shared.infra import clock, config, database
from backend.shared.messaging import outbox
from backend.shared.models import (
    MOTION_COMMAND_TYPES,
    CommandReport,
    CommandStatus,
    CommandType,
    DeliveryTask,
    Robot,
    RobotCommand,
    RobotStatus,
    Waypoint,
)

_FINISHED = frozenset(
    {
        CommandStatus.SUCCEEDED,
        CommandStatus.FAILED,
        CommandStatus.REFUSED,
        CommandStatus.CANCELLED,
    }
)
_STATUS_OF = {
    ReportType.ACCEPTED: CommandStatus.ACCEPTED,
    ReportType.STARTED: CommandStatus.STARTED,
    ReportType.PROGRESS: CommandStatus.STARTED,
    ReportType.ARRIVED: CommandStatus.SUCCEEDED,
    ReportType.SUCCEEDED: CommandStatus.SUCCEEDED,
    ReportType.FAILED: CommandStatus.FAILED,
    ReportType.CANCELLED: CommandStatus.CANCELLED,
    ReportType.REFUSED: CommandStatus.REFUSED,
}
_ORDER = [
    CommandStatus.LEASED,
    CommandStatus.ACCEPTED,
    CommandStatus.UNKNOWN,
    CommandStatus.STARTED,
]
_STARTED = (CommandStatus.STARTED, CommandStatus.UNKNOWN)
# Reports that only some states of a command may precede.
_MAY_PRECEDE = {
    ReportType.STARTED: (CommandStatus.ACCEPTED, *_STARTED),
    ReportType.PROGRESS: _STARTED,
    ReportType.ARRIVED: _STARTED,
    ReportType.SUCCEEDED: _STARTED,
}
_NOT_AT_TARGET = "ARRIVED_ELSEWHERE"


def _hash_content(body: CommandReportBody) -> str:
    content = body.model_dump(mode="json", exclude={"lease_token"})
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def record_report(
    session: Session, robot_id: UUID, command_id: UUID, body: CommandReportBody
) -> dict[str, Any]:
    """Apply a report to its command; a repeated report gets the first response again."""
    robot = database.row_lock(session, Robot, robot_id)
    command = database.row_lock_or_none(session, RobotCommand, command_id)
    if command is None or command.robot_id != robot_id:
        raise NotFound("Command not found for this robot.")
    # Without the token: a report sent again under a newer lease is still the same report.
    content_hash = _hash_content(body)
    recorded = session.get(CommandReport, (command_id, body.event_seq))
    if recorded is not None:
        if recorded.content_hash != content_hash:
            raise Conflict(
                "A different report was sent under this number.", event_seq=body.event_seq
            )
        return recorded.answer
    _ensure_leased(session, robot, command, body.lease_token)
    _ensure_in_order(command, body.type)
    _apply(session, robot, command, body)
    answer = {"command_id": str(command.id), "status": command.status.value}
    if body.type is not ReportType.PROGRESS:  # harmless when repeated, and too many to keep
        session.add(
            CommandReport(
                command_id=command_id,
                event_seq=body.event_seq,
                content_hash=content_hash,
                answer=answer,
            )
        )
    return answer


def _ensure_leased(session: Session, robot: Robot, command: RobotCommand, token: int) -> None:
    """Refuse a report under an older lease or session, or after a stop."""
    if (
        command.epoch != robot.epoch
        or command.stop_version != stop_latches.read_version(session, robot.id)
        or command.lease_token != token
        or command.status is CommandStatus.VOID
    ):
        raise LeaseLost(status=command.status.value)


def _ensure_in_order(command: RobotCommand, report: ReportType) -> None:
    """Refuse a report that skips a step of a command to move, such as an arrival before a start."""
    if command.type not in MOTION_COMMAND_TYPES or command.status in _FINISHED:
        return
    if command.status in _MAY_PRECEDE.get(report, _ORDER):
        return
    raise Conflict(
        "This report does not follow from the last one.",
        status=command.status.value,
        report=report.value,
    )


def _is_at_target(session: Session, robot: Robot, command: RobotCommand) -> bool:
    """Whether the robot's pose is near the target of its command, on the same floor."""
    if command.type is not CommandType.NAVIGATE:
        return True
    return is_near(session.get_one(Waypoint, command.target_waypoint_id), robot.pose)


def is_near(target: Waypoint, pose: dict[str, Any] | None) -> bool:
    """Whether a pose is within the arrival tolerance of a waypoint, on its floor."""
    if pose is None or pose.get("floor", target.floor) != target.floor:
        return False
    distance = math.hypot(pose["x"] - target.x_coordinate, pose["y"] - target.y_coordinate)
    return distance <= config.robots().arrival_tolerance


def _doubt_arrival(session: Session, command: RobotCommand) -> None:
    """Make the command UNKNOWN, so that the next heartbeat decides, and alert staff."""
    if command.status is CommandStatus.UNKNOWN:
        return
    command.status = CommandStatus.UNKNOWN
    session.flush()
    task = session.get(DeliveryTask, command.task_id) if command.task_id is not None else None
    if task is not None:
        task_effects.publish_task_event(session, task, TaskNeedsAttention, _NOT_AT_TARGET)


def _apply(session: Session, robot: Robot, command: RobotCommand, body: CommandReportBody) -> None:
    status = _STATUS_OF[body.type]
    if command.status in _FINISHED:
        return
    command.leased_until = clock.now() + config.robots().command_lease
    if body.pose is not None:
        robot.pose = body.pose.model_dump()
    if status is CommandStatus.SUCCEEDED and not _is_at_target(session, robot, command):
        _doubt_arrival(session, command)
    elif status in _FINISHED:
        if status is CommandStatus.FAILED and (body.message or "").startswith(edges.PATH_BLOCKED):
            edges.close_blocked(session, robot.pose, command.payload.get("route", []))
        finish(session, command, status, body.message)
        _update_robot(session, robot, command)
        if command.task_id is None and command.type in MOTION_COMMAND_TYPES:
            docking.report_failures(session, robot)
    elif command.status not in _ORDER or _ORDER.index(status) > _ORDER.index(command.status):
        _advance(session, robot, command, status, body.at)


def _advance(
    session: Session,
    robot: Robot,
    command: RobotCommand,
    status: CommandStatus,
    at: datetime | None,
) -> None:
    command.status = status
    now = clock.now()
    if status is CommandStatus.ACCEPTED:
        command.accepted_at = now
    else:
        command.accepted_at = command.accepted_at or now
        command.started_at = command.started_at or now
        if command.type is CommandType.NAVIGATE and robot.status is RobotStatus.BUSY:
            robot.status = RobotStatus.NAVIGATING
            robot.current_location = None
    session.flush()
    kind = CommandAccepted if status is CommandStatus.ACCEPTED else CommandStarted
    _publish(session, kind, command, at)


def finish(
    session: Session, command: RobotCommand, status: CommandStatus, message: str | None
) -> None:
    """End the command and publish its outcome. After a CANCEL this frees the robot."""
    command.status, command.result, command.finished_at = status, message, clock.now()
    session.flush()
    kind = CommandSucceeded if status is CommandStatus.SUCCEEDED else CommandFailed
    _publish(session, kind, command)


def finish_arrived(session: Session, robot: Robot, command: RobotCommand) -> None:
    """End an UNKNOWN command whose robot is at its target."""
    finish(session, command, CommandStatus.SUCCEEDED, "found at its target")
    _update_robot(session, robot, command)


def _update_robot(session: Session, robot: Robot, command: RobotCommand) -> None:
    """Set the robot's status and location after a NAVIGATE ended, its dock after an UNDOCK."""
    if command.type is CommandType.UNDOCK and command.status is CommandStatus.SUCCEEDED:
        robot.docked = robot.charging = False
    if command.type is not CommandType.NAVIGATE:
        return
    if robot.status is RobotStatus.NAVIGATING:
        robot.status = RobotStatus.BUSY
    if command.status is CommandStatus.SUCCEEDED:
        target = session.get(Waypoint, command.target_waypoint_id)
        robot.current_location = target.name if target is not None else None
        edges.record_speed(session, command)
    session.flush()


def _publish(
    session: Session,
    kind: type[CommandAccepted | CommandStarted | CommandSucceeded | CommandFailed],
    command: RobotCommand,
    at: datetime | None = None,
) -> None:
    outbox.publish(
        session,
        kind(
            command_id=command.id,
            robot_id=command.robot_id,
            task_id=command.task_id,
            command_type=command.type,
            leg=command.leg,
            result=command.result,
            at=at,
        ),
    )
