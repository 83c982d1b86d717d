"""Sessions of bridges: each new session raises the robot's epoch (robot-protocol.md §1)."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.robot.schemas.bridges import SessionOpened
from backend.shared.infra import clock, commit_hooks, config, database
from backend.shared.messaging import channels
from backend.shared.models import (
    IN_FLIGHT_COMMAND_STATUSES,
    CommandStatus,
    FleetState,
    Robot,
    RobotCommand,
)


def open_session(
    session: Session, robot_id: UUID, boot_id: str, capabilities: dict[str, Any] | None
) -> SessionOpened:
    """Open a session for the robot and fence off its earlier ones.

    Commands that an earlier session held are queued again if not started, else become UNKNOWN.
    """
    robot = database.row_lock(session, Robot, robot_id)
    if capabilities is not None:
        robot.capabilities = capabilities
    if robot.boot_id != boot_id or robot.epoch == 0:  # else the request was sent twice
        _begin(session, robot, boot_id)
    settings = config.robots()
    return SessionOpened(
        robot_id=robot_id,
        epoch=robot.epoch,
        heartbeat_interval=settings.heartbeat_interval.total_seconds(),
        offline_after=settings.offline_after.total_seconds(),
        server_time=clock.now(),
        map_version=session.execute(select(FleetState.map_version)).scalar_one(),
    )


def _begin(session: Session, robot: Robot, boot_id: str) -> None:
    robot.epoch += 1
    robot.boot_id = boot_id
    robot.heartbeat_seq = 0
    held = session.execute(
        select(RobotCommand)
        .where(
            RobotCommand.robot_id == robot.id, RobotCommand.status.in_(IN_FLIGHT_COMMAND_STATUSES)
        )
        .with_for_update()
    ).scalars()
    for command in held.all():
        if command.status in {CommandStatus.LEASED, CommandStatus.ACCEPTED}:
            command.status, command.lease_token = CommandStatus.QUEUED, None
        else:
            command.status = CommandStatus.UNKNOWN
    session.flush()
    database.on_commit(
        session, commit_hooks.Publish(channels.BRIDGE_SESSIONS, str(robot.id).encode())
    )
