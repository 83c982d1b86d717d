"""Commands as the bridge meets them: leased, reported, fenced (robot-protocol.md §3)."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, bindparam, case, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from backend.robot.schemas.bridge import CommandReportBody, ReportType
from backend.shared.errors import Conflict, LeaseLost, NotFound, StaleEpoch
from backend.shared.events import CommandAccepted, CommandFailed, CommandStarted, CommandSucceeded
from backend.shared.infra import clock, config, database
from backend.shared.messaging import outbox
from backend.shared.models import (
    MOTION_COMMAND_TYPES,
    CommandReport,
    CommandStatus,
    CommandType,
    Robot,
    RobotCommand,
    RobotStatus,
    Waypoint,
)

_NOT_ACCEPTED_AFTER = timedelta(seconds=3)  # a leased command whose answer was lost is sent again
_ENDED = frozenset(
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


def check_epoch(session: Session, robot_id: UUID, epoch: int) -> bool:
    """Whether the robot is stopped; StaleEpoch when a newer session speaks for it."""
    row = session.execute(select(Robot.epoch, Robot.stopped_at).where(Robot.id == robot_id)).one()
    if row.epoch != epoch:
        raise StaleEpoch(epoch=epoch, current=row.epoch)
    return row.stopped_at is not None


def _lease_statement() -> ReturningUpdate[RobotCommand]:
    """Lease the oldest due command of an unstopped robot's newest session, in one statement.

    Built once: this stands between a confirmed loading and the robot's departure. Commands that
    overtake come first. One that was leased and never accepted is due again: its answer was lost.
    """
    now = bindparam("now", type_=DateTime(timezone=True))
    due = (
        select(RobotCommand.id)
        .join(Robot, Robot.id == RobotCommand.robot_id)
        .where(
            RobotCommand.robot_id == bindparam("for_robot"),
            Robot.epoch == bindparam("for_epoch"),
            Robot.stopped_at.is_(None),
            (RobotCommand.status == CommandStatus.QUEUED)
            | (
                (RobotCommand.status == CommandStatus.LEASED)
                & (RobotCommand.sent_at < bindparam("lost", type_=DateTime(timezone=True)))
            ),
            RobotCommand.deadline.is_(None) | (RobotCommand.deadline >= now),
        )
        .order_by(case((RobotCommand.type.in_(MOTION_COMMAND_TYPES), 1), else_=0), RobotCommand.seq)
        .limit(1)
        .with_for_update(of=RobotCommand, skip_locked=True)
        .scalar_subquery()
    )
    return (
        update(RobotCommand)
        .where(RobotCommand.id == due)
        .values(
            status=CommandStatus.LEASED,
            lease_token=func.nextval("lease_tokens"),
            leased_until=bindparam("until", type_=DateTime(timezone=True)),
            epoch=bindparam("for_epoch"),
            sent_at=now,
            attempt=RobotCommand.attempt + 1,
        )
        .returning(RobotCommand)
        .execution_options(synchronize_session=False)
    )


_LEASE = _lease_statement()


def lease_next(session: Session, robot_id: UUID, epoch: int) -> RobotCommand | None:
    """Lease the oldest due command to this session; StaleEpoch when a newer one has begun."""
    now = clock.now()
    command = session.execute(
        _LEASE,
        {
            "for_robot": robot_id,
            "for_epoch": epoch,
            "now": now,
            "lost": now - _NOT_ACCEPTED_AFTER,
            "until": now + config.robots().command_lease,
        },
    ).scalar_one_or_none()
    if command is None:
        check_epoch(session, robot_id, epoch)
        _end_late(session, robot_id)
    return command


def _end_late(session: Session, robot_id: UUID) -> None:
    """A command that was not fetched by its deadline has failed."""
    late = session.execute(
        select(RobotCommand)
        .where(
            RobotCommand.robot_id == robot_id,
            RobotCommand.status == CommandStatus.QUEUED,
            RobotCommand.deadline < clock.now(),
        )
        .with_for_update(skip_locked=True)
    ).scalars()
    for command in late.all():
        _end(session, command, CommandStatus.FAILED, "its deadline has passed")


def report(
    session: Session, robot_id: UUID, command_id: UUID, body: CommandReportBody
) -> dict[str, Any]:
    """Take a bridge's report of its command: the same again gets the first answer again."""
    robot = database.row_lock(session, Robot, robot_id)
    command = database.row_lock_or_none(session, RobotCommand, command_id)
    if command is None or command.robot_id != robot_id:
        raise NotFound("There is no such command for this robot.")
    # Without the token: a report sent again under a newer lease is still the same report.
    said = body.model_dump(mode="json", exclude={"lease_token"})
    content = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    known = session.get(CommandReport, (command_id, body.event_seq))
    if known is not None:
        if known.content_hash != content:
            raise Conflict("Another report was sent under this number.", event_seq=body.event_seq)
        return known.answer
    superseded = command.epoch != robot.epoch  # leased to a session that is no longer the newest
    if (
        superseded
        or body.lease_token != command.lease_token
        or command.status is CommandStatus.VOID
    ):
        raise LeaseLost(status=command.status.value)
    _advance(session, robot, command, body)
    answer = {"command_id": str(command.id), "status": command.status.value}
    if body.type is not ReportType.PROGRESS:  # harmless when repeated, and too many to keep
        session.add(
            CommandReport(
                command_id=command_id,
                event_seq=body.event_seq,
                content_hash=content,
                answer=answer,
            )
        )
    return answer


def _advance(
    session: Session, robot: Robot, command: RobotCommand, body: CommandReportBody
) -> None:
    status = _STATUS_OF[body.type]
    if command.status in _ENDED:
        return
    command.leased_until = clock.now() + config.robots().command_lease
    if body.pose is not None:
        robot.pose = body.pose.model_dump()
    if status in _ENDED:
        _end(session, command, status, body.message)
        _after_end(session, robot, command)
    elif _is_later(status, command.status):
        _begin(session, robot, command, status, body.at)


def _is_later(status: CommandStatus, present: CommandStatus) -> bool:
    if present not in _ORDER:
        return True
    return _ORDER.index(status) > _ORDER.index(present)


def _begin(
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
    publish_command_event(session, kind, command, at)


def _end(
    session: Session, command: RobotCommand, status: CommandStatus, message: str | None
) -> None:
    command.status, command.result, command.finished_at = status, message, clock.now()
    session.flush()
    kind = CommandSucceeded if status is CommandStatus.SUCCEEDED else CommandFailed
    # The end of a CANCEL is published too: it frees the robot.
    publish_command_event(session, kind, command)


def _after_end(session: Session, robot: Robot, command: RobotCommand) -> None:
    if command.type is not CommandType.NAVIGATE:
        return
    if robot.status is RobotStatus.NAVIGATING:
        robot.status = RobotStatus.BUSY
    if command.status is CommandStatus.SUCCEEDED:
        target = session.get(Waypoint, command.target_waypoint_id)
        robot.current_location = target.name if target is not None else None
    session.flush()


def publish_command_event(
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


def arrive_silently(session: Session, robot: Robot, command: RobotCommand) -> None:
    """An unknown command whose robot stands at its target has succeeded."""
    _end(session, command, CommandStatus.SUCCEEDED, "found at its target")
    _after_end(session, robot, command)


def expire_leases(session: Session) -> None:
    """Take lapsed leases back.

    Before it started a command goes back to the queue, three times. While driving it is never sent
    again blindly: the robot's next report decides (`heartbeats.resolve_unknown_command`).
    """
    lapsed = session.execute(
        select(RobotCommand)
        .where(
            RobotCommand.status.in_(
                [CommandStatus.LEASED, CommandStatus.ACCEPTED, CommandStatus.STARTED]
            ),
            RobotCommand.leased_until < clock.now(),
        )
        .with_for_update(skip_locked=True)
    ).scalars()
    for command in lapsed.all():
        if command.status is CommandStatus.STARTED:
            command.status = CommandStatus.UNKNOWN
        elif command.attempt >= config.workflow().command_attempts:
            _end(session, command, CommandStatus.FAILED, "the robot never took it up")
        else:
            command.status, command.lease_token = CommandStatus.QUEUED, None
    session.flush()
