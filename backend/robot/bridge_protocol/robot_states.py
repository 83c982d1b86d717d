"""What a heartbeat is compared with: the robot's row, its task and its command."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import ScalarSelect, bindparam, func, select
from sqlalchemy.orm import aliased

from backend.shared.infra.hot_reads import HotRead
from backend.shared.models import (
    ACTIVE_COMMAND_STATUSES,
    ACTIVE_TASK_STATUSES,
    MOTION_COMMAND_TYPES,
    CommandStatus,
    Connectivity,
    DeliveryTask,
    Robot,
    RobotCommand,
    RobotStatus,
)
from backend.shared.web.pagination import AnySelect


class RobotState(Protocol):
    """A row of ONE and of FLEET."""

    id: UUID
    epoch: int
    robot_name: str
    status: RobotStatus
    connectivity: Connectivity
    current_location: str | None
    battery_level: float | None
    charging: bool
    docked: bool
    heartbeat_seq: int
    last_heartbeat: datetime | None
    speed: float | None
    paused_at: datetime | None
    task_id: UUID | None
    request_id: UUID | None
    return_id: UUID | None
    command_id: UUID | None
    command_status: CommandStatus | None
    leased_until: datetime | None
    commands_waiting: int


def _build() -> AnySelect:
    """Select all that a heartbeat is compared with."""
    return (
        select(
            Robot.id,
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
            Robot.paused_at,
            DeliveryTask.id.label("task_id"),
            DeliveryTask.request_id,
            DeliveryTask.return_id,
            RobotCommand.id.label("command_id"),
            RobotCommand.status.label("command_status"),
            RobotCommand.leased_until,
            _queued_commands().label("commands_waiting"),
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
        .where(Robot.retired_at.is_(None))
    )


def _queued_commands() -> ScalarSelect[int]:
    """Count the robot's queued commands."""
    queued = aliased(RobotCommand)
    return (
        select(func.count())
        .select_from(queued)
        .where(queued.robot_id == Robot.id, queued.status == CommandStatus.QUEUED)
        .scalar_subquery()
    )


_ALL = _build()
ONE = _ALL.where(Robot.id == bindparam("for_robot"))
FLEET = HotRead(_ALL)
