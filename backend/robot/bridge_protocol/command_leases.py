"""Leases of commands: a bridge holds one command at a time (robot-protocol.md §3)."""

from uuid import UUID

from sqlalchemy import DateTime, bindparam, case, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from backend.robot.bridge_protocol import command_reports
from backend.shared.domain import stop_latches
from backend.shared.errors import StaleEpoch
from backend.shared.infra import clock, config
from backend.shared.models import MOTION_COMMAND_TYPES, CommandStatus, Robot, RobotCommand


def _build_lease_statement() -> ReturningUpdate[RobotCommand]:
    """Lease the oldest due command of the robot's newest session, in one statement.

    Commands that overtake come first. One whose lease ended before it was accepted is due again.
    """
    now = bindparam("now", type_=DateTime(timezone=True))
    due = (
        select(RobotCommand.id)
        .join(Robot, Robot.id == RobotCommand.robot_id)
        .where(
            RobotCommand.robot_id == bindparam("for_robot"),
            Robot.epoch == bindparam("for_epoch"),
            # of an older version: created before a stop, or during it
            RobotCommand.stop_version == stop_latches.version_of(Robot.id),
            (RobotCommand.status == CommandStatus.QUEUED)
            | ((RobotCommand.status == CommandStatus.LEASED) & (RobotCommand.leased_until < now)),
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


# Built once: it is on the path between a confirmed loading and the robot's departure.
_LEASE_STATEMENT = _build_lease_statement()


def lease_next(session: Session, robot_id: UUID, epoch: int) -> RobotCommand | None:
    """Lease the oldest due command to this session; StaleEpoch when a newer session is open."""
    now = clock.now()
    command = session.execute(
        _LEASE_STATEMENT,
        {
            "for_robot": robot_id,
            "for_epoch": epoch,
            "now": now,
            "until": now + config.robots().command_lease,
        },
    ).scalar_one_or_none()
    if command is None:
        current = session.execute(select(Robot.epoch).where(Robot.id == robot_id)).scalar_one()
        if current != epoch:
            raise StaleEpoch(epoch=epoch, current=current)
        _fail_overdue(session, robot_id)
    return command


def _fail_overdue(session: Session, robot_id: UUID) -> None:
    """Fail the commands that were not fetched by their deadline."""
    overdue = session.execute(
        select(RobotCommand)
        .where(
            RobotCommand.robot_id == robot_id,
            RobotCommand.status == CommandStatus.QUEUED,
            RobotCommand.deadline < clock.now(),
        )
        .with_for_update(skip_locked=True)
    ).scalars()
    for command in overdue.all():
        command_reports.finish(session, command, CommandStatus.FAILED, "its deadline has passed")


def expire_leases(session: Session) -> None:
    """Queue commands again whose lease ran out before they started; fail them after 3 attempts.

    A started command is never sent again blindly: it becomes UNKNOWN, and the robot's next
    heartbeat decides (`heartbeats.resolve_unknown_command`).
    """
    expired = session.execute(
        select(RobotCommand)
        .where(
            RobotCommand.status.in_(
                [CommandStatus.LEASED, CommandStatus.ACCEPTED, CommandStatus.STARTED]
            ),
            RobotCommand.leased_until < clock.now(),
        )
        .order_by(RobotCommand.id)
        .with_for_update(skip_locked=True)
    ).scalars()
    for command in expired.all():
        if command.status is CommandStatus.STARTED:
            command.status = CommandStatus.UNKNOWN
        elif command.attempt >= config.workflow().command_attempts:
            message = "the robot never accepted it"
            command_reports.finish(session, command, CommandStatus.FAILED, message)
        else:
            command.status, command.lease_token = CommandStatus.QUEUED, None
    session.flush()
