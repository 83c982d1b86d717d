"""Robots and their commands. Written by the robot service and `shared.domain.commands`."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from backend.shared.models.base import Base, CreatedAt, Id, UpdatedAt, sql_values, text_enum


class RobotStatus(StrEnum):
    IDLE = "IDLE"
    BUSY = "BUSY"
    NAVIGATING = "NAVIGATING"
    ERROR = "ERROR"
    MAINTENANCE = "MAINTENANCE"


class Connectivity(StrEnum):
    NEVER_SEEN = "NEVER_SEEN"
    ONLINE = "ONLINE"
    STALE = "STALE"
    OFFLINE = "OFFLINE"


class StopScope(StrEnum):
    """Whether one robot or the whole fleet was stopped."""

    ROBOT = "ROBOT"
    FLEET = "FLEET"


class StopState(StrEnum):
    """Progress of an emergency stop."""

    REQUESTED = "REQUESTED"
    RECEIVED = "RECEIVED"
    MOTION_STOPPED = "MOTION_STOPPED"
    UNREACHABLE = "UNREACHABLE"


class StopReport(StrEnum):
    """Answers of a bridge to an emergency stop."""

    RECEIVED = "RECEIVED"
    MOTION_STOPPED = "MOTION_STOPPED"


class Robot(Base):
    __tablename__ = "robots"

    id: Mapped[Id]
    robot_name: Mapped[str] = mapped_column(unique=True)
    model: Mapped[str | None]
    status: Mapped[RobotStatus] = mapped_column(text_enum(RobotStatus), default=RobotStatus.IDLE)
    connectivity: Mapped[Connectivity] = mapped_column(
        text_enum(Connectivity), default=Connectivity.NEVER_SEEN
    )
    current_location: Mapped[str | None]  # name of the waypoint where it is
    pose: Mapped[dict[str, Any] | None]  # x, y metres, theta radians, floor
    battery_level: Mapped[float | None]  # 0–1
    charging: Mapped[bool] = mapped_column(default=False)
    docked: Mapped[bool] = mapped_column(default=False)
    speed: Mapped[float | None]  # metres a second while driving, smoothed
    sensor_data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    capabilities: Mapped[dict[str, Any]] = mapped_column(default=dict)
    software_version: Mapped[str | None]
    last_heartbeat: Mapped[datetime | None]
    # The current bridge session, and the emergency stop as it follows from the stop latches.
    epoch: Mapped[int] = mapped_column(default=0)
    boot_id: Mapped[str | None]
    heartbeat_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    stop_version: Mapped[int] = mapped_column(BigInteger, default=0)
    stopped_at: Mapped[datetime | None]
    stopped_by: Mapped[UUID | None]  # no foreign key: checking it would wait for the user's row
    stop_reason: Mapped[str | None]
    stop_scope: Mapped[StopScope | None] = mapped_column(text_enum(StopScope))
    stop_received_at: Mapped[datetime | None]
    motion_stopped_at: Mapped[datetime | None]
    stop_alerted_at: Mapped[datetime | None]
    # Held by staff: it keeps its task, and its drive goes on when they say so.
    paused_at: Mapped[datetime | None]
    paused_by: Mapped[UUID | None]
    retired_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class RobotKey(Base):
    """A bridge's key, hashed. Two are valid while one replaces the other."""

    __tablename__ = "robot_keys"

    id: Mapped[Id]
    robot_id: Mapped[UUID] = mapped_column(ForeignKey("robots.id"))
    prefix: Mapped[str] = mapped_column(unique=True)
    key_hash: Mapped[str]
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_robot_keys_robot_id", "robot_id"),)


class EnrollmentCode(Base):
    __tablename__ = "enrolment_codes"

    id: Mapped[Id]
    robot_id: Mapped[UUID] = mapped_column(ForeignKey("robots.id"))
    code_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


FLEET_LATCH = UUID(int=0)


class StopLatch(Base):
    """The emergency stop of one robot (its id) or of all, including later ones (FLEET_LATCH).

    A robot is stopped while its own latch or the fleet's is; the sum of both versions grows with
    every stop and resume. Only stop and resume lock these rows, and there is no foreign key:
    checking one would wait for the other row. A trigger on `robots` inserts each robot's latch.
    """

    __tablename__ = "stop_latches"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    stopped: Mapped[bool]
    changed_at: Mapped[datetime | None]
    changed_by: Mapped[UUID | None]
    reason: Mapped[str | None]


class FleetState(Base):
    """One row: the map's version."""

    __tablename__ = "fleet_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    map_version: Mapped[int] = mapped_column(default=0)

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class CommandType(StrEnum):
    NAVIGATE = "NAVIGATE"
    DOCK = "DOCK"
    UNDOCK = "UNDOCK"
    PAUSE = "PAUSE"
    RESUME = "RESUME"
    CANCEL = "CANCEL"
    ANNOUNCE = "ANNOUNCE"


class CommandStatus(StrEnum):
    QUEUED = "QUEUED"
    LEASED = "LEASED"
    ACCEPTED = "ACCEPTED"
    STARTED = "STARTED"
    UNKNOWN = "UNKNOWN"  # its lease expired while driving: the robot's next report decides
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    REFUSED = "REFUSED"
    CANCELLED = "CANCELLED"
    VOID = "VOID"  # withdrawn by the server


class Leg(StrEnum):
    """The part of a task that a NAVIGATE command drives."""

    TO_SOURCE = "TO_SOURCE"
    TO_DESTINATION = "TO_DESTINATION"
    BRINGING_BACK = "BRINGING_BACK"


# Leased by a bridge and not ended: the robot may be carrying the command out.
IN_FLIGHT_COMMAND_STATUSES = (
    CommandStatus.LEASED,
    CommandStatus.ACCEPTED,
    CommandStatus.STARTED,
    CommandStatus.UNKNOWN,
)
FAILED_COMMAND_STATUSES = (CommandStatus.FAILED, CommandStatus.REFUSED, CommandStatus.CANCELLED)
ACTIVE_COMMAND_STATUSES = (CommandStatus.QUEUED, *IN_FLIGHT_COMMAND_STATUSES)
MOTION_COMMAND_TYPES = (CommandType.NAVIGATE, CommandType.DOCK, CommandType.UNDOCK)
_ACTIVE = f"status IN {sql_values(ACTIVE_COMMAND_STATUSES)}"


class RobotCommand(Base):
    __tablename__ = "robot_commands"

    id: Mapped[Id]
    robot_id: Mapped[UUID] = mapped_column(ForeignKey("robots.id"))
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("delivery_tasks.id"))
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    type: Mapped[CommandType] = mapped_column(text_enum(CommandType))
    leg: Mapped[Leg | None] = mapped_column(text_enum(Leg))
    target_waypoint_id: Mapped[UUID | None] = mapped_column(ForeignKey("waypoints.id"))
    loading_proof_id: Mapped[UUID | None]
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[CommandStatus] = mapped_column(
        text_enum(CommandStatus), default=CommandStatus.QUEUED
    )
    lease_token: Mapped[int | None] = mapped_column(BigInteger)
    leased_until: Mapped[datetime | None]
    epoch: Mapped[int | None]  # of the session that leased it last
    attempt: Mapped[int] = mapped_column(default=0)
    # It failed, and its robot could not move when it was to be tried again.
    is_due_again: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    # Set by a trigger: the robot's stop version at the insert. A later stop voids the command.
    stop_version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    deadline: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]
    sent_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    result: Mapped[str | None]

    __table_args__ = (
        # A command to leave with a book requires a loading proof for this robot.
        CheckConstraint(
            "leg IS NULL OR leg = 'TO_SOURCE' OR loading_proof_id IS NOT NULL",
            name="loaded_before_it_leaves",
        ),
        CheckConstraint(
            "(type = 'NAVIGATE' AND task_id IS NOT NULL) = (leg IS NOT NULL)",
            name="a_journey_names_its_leg",
        ),
        ForeignKeyConstraint(
            ["loading_proof_id", "task_id", "robot_id"],
            ["loading_proofs.id", "loading_proofs.task_id", "loading_proofs.robot_id"],
            name="fk_robot_commands_loading_proof",
        ),
        Index(
            "uq_robot_commands_active_robot",
            "robot_id",
            unique=True,
            postgresql_where=text(f"type IN {sql_values(MOTION_COMMAND_TYPES)} AND {_ACTIVE}"),
        ),
        Index("ix_robot_commands_waiting", "robot_id", "seq", postgresql_where=text(_ACTIVE)),
        Index("ix_robot_commands_robot_id_seq", "robot_id", "seq"),
        Index("ix_robot_commands_task_id", "task_id"),
    )


class CommandReport(Base):
    """A bridge's report about a command; a repeated `event_seq` gets the stored answer."""

    __tablename__ = "robot_command_reports"

    command_id: Mapped[UUID] = mapped_column(ForeignKey("robot_commands.id"), primary_key=True)
    event_seq: Mapped[int] = mapped_column(primary_key=True)
    content_hash: Mapped[str]
    answer: Mapped[dict[str, Any]]
    created_at: Mapped[CreatedAt]


class RobotError(Base):
    __tablename__ = "robot_errors"

    id: Mapped[Id]
    robot_id: Mapped[UUID] = mapped_column(ForeignKey("robots.id"))
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("delivery_tasks.id"))
    type: Mapped[str]
    level: Mapped[str]
    message: Mapped[str]
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        Index("ix_robot_errors_robot_id", "robot_id", "created_at"),
        Index("ix_robot_errors_created_at", "created_at"),
        Index("ix_robot_errors_task_id", "task_id", postgresql_where=text("task_id IS NOT NULL")),
    )
