"""A bridge's session: a new one raises the epoch (robot-protocol.md §1)."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.shared.infra import database
from backend.shared.models import (
    IN_FLIGHT_COMMAND_STATUSES,
    CommandStatus,
    FleetState,
    Robot,
    RobotCommand,
)


@dataclass(frozen=True)
class Opened:
    robot_id: UUID
    epoch: int
    map_version: int


def open_session(session: Session, robot_id: UUID, boot_id: str) -> Opened:
    """A new session for the robot: what an earlier one held is taken back or becomes unknown."""
    robot = database.row_lock(session, Robot, robot_id)
    robot.epoch += 1
    robot.boot_id = boot_id
    robot.heartbeat_seq = 0
    held = session.execute(
        select(RobotCommand)
        .where(
            RobotCommand.robot_id == robot_id, RobotCommand.status.in_(IN_FLIGHT_COMMAND_STATUSES)
        )
        .with_for_update()
    ).scalars()
    for command in held.all():
        if command.status in {CommandStatus.LEASED, CommandStatus.ACCEPTED}:
            command.status, command.lease_token = CommandStatus.QUEUED, None
        else:
            command.status = CommandStatus.UNKNOWN
    map_version = session.execute(select(FleetState.map_version)).scalar_one()
    session.flush()
    return Opened(robot_id, robot.epoch, map_version)
