"""Requests, returns and the tasks that serve them. Changed by `shared.domain.workflow`."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.shared.models.base import Base, CreatedAt, Id, sql_values, text_enum


class RequestStatus(StrEnum):
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class ReturnStatus(StrEnum):
    PENDING = "PENDING"
    PICKUP_SCHEDULED = "PICKUP_SCHEDULED"
    PICKED_UP = "PICKED_UP"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class TaskType(StrEnum):
    STUDENT_DELIVERY = "STUDENT_DELIVERY"
    RETURN_PICKUP = "RETURN_PICKUP"
    INTER_STAFF = "INTER_STAFF"
    WORKSTATION = "WORKSTATION"
    TRANSFER = "TRANSFER"


class Priority(StrEnum):
    LOW = "LOW"
    NORMAL = "NORMAL"
    HIGH = "HIGH"
    URGENT = "URGENT"


class TaskStatus(StrEnum):
    PENDING = "PENDING"
    QUEUED = "QUEUED"
    ASSIGNED = "ASSIGNED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Stage(StrEnum):
    TO_SOURCE = "TO_SOURCE"
    LOADING = "LOADING"
    TO_DESTINATION = "TO_DESTINATION"
    HANDOVER = "HANDOVER"
    BRINGING_BACK = "BRINGING_BACK"


class WaitingReason(StrEnum):
    """Why no robot serves a waiting task yet."""

    ROBOTS_BUSY = "ROBOTS_BUSY"
    ROBOTS_CHARGING = "ROBOTS_CHARGING"
    ROBOTS_OFFLINE = "ROBOTS_OFFLINE"
    ROBOTS_STOPPED = "ROBOTS_STOPPED"
    NO_ROBOT_IN_SERVICE = "NO_ROBOT_IN_SERVICE"
    NO_ROUTE = "NO_ROUTE"


class EtaReason(StrEnum):
    """Why a task arrives later than was last said, or nobody can say when."""

    WAITING_FOR_ROBOT = "WAITING_FOR_ROBOT"
    WAITING_TO_BE_LOADED = "WAITING_TO_BE_LOADED"
    ANOTHER_ROBOT = "ANOTHER_ROBOT"
    ROBOT_STOPPED = "ROBOT_STOPPED"
    ROBOT_OFFLINE = "ROBOT_OFFLINE"
    DETOUR = "DETOUR"
    SLOWER = "SLOWER"
    WAITING_FOR_STAFF = "WAITING_FOR_STAFF"


# Dispatch order: a lower rank goes first.
PRIORITY_RANK = {Priority.URGENT: 0, Priority.HIGH: 1, Priority.NORMAL: 2, Priority.LOW: 3}
# Of requests, returns and tasks: nothing follows. A FAILED task may be retried or cancelled.
CLOSED_STATUSES = ("COMPLETED", "CANCELLED")
ACTIVE_TASK_STATUSES = (TaskStatus.ASSIGNED, TaskStatus.IN_PROGRESS)  # a robot serves the task
_OPEN = f"status NOT IN {sql_values(CLOSED_STATUSES)}"
_ACTIVE = f"status IN {sql_values(ACTIVE_TASK_STATUSES)}"


class BookRequest(Base):
    """A student's request to have a copy delivered."""

    __tablename__ = "book_requests"

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    book_id: Mapped[UUID] = mapped_column(ForeignKey("books.id"))
    copy_id: Mapped[UUID] = mapped_column(ForeignKey("copies.id"))
    request_location: Mapped[str]
    waypoint_id: Mapped[UUID] = mapped_column(ForeignKey("waypoints.id"))
    status: Mapped[RequestStatus] = mapped_column(
        text_enum(RequestStatus), default=RequestStatus.PENDING
    )
    notes: Mapped[str | None]
    handover_code: Mapped[str]  # 4 digits; shown to the requester from HANDOVER on
    code_tries: Mapped[int] = mapped_column(default=0)  # wrong codes that staff have given
    cancel_reason: Mapped[str | None]
    requested_at: Mapped[CreatedAt]
    completed_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_book_requests_open_copy", "copy_id", unique=True, postgresql_where=text(_OPEN)),
        Index(
            "uq_book_requests_open_user_book",
            "user_id",
            "book_id",
            unique=True,
            postgresql_where=text(_OPEN),
        ),
        Index("ix_book_requests_user_id_status", "user_id", "status"),
        Index("ix_book_requests_requested_at", "requested_at", "id"),
    )


class BookReturn(Base):
    """A student's request to have a borrowed copy picked up."""

    __tablename__ = "book_returns"

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    book_id: Mapped[UUID] = mapped_column(ForeignKey("books.id"))
    loan_id: Mapped[UUID] = mapped_column(ForeignKey("loans.id"))
    pickup_location: Mapped[str]
    waypoint_id: Mapped[UUID] = mapped_column(ForeignKey("waypoints.id"))
    status: Mapped[ReturnStatus] = mapped_column(
        text_enum(ReturnStatus), default=ReturnStatus.PENDING
    )
    cancel_reason: Mapped[str | None]
    initiated_at: Mapped[CreatedAt]
    picked_up_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_book_returns_open_loan", "loan_id", unique=True, postgresql_where=text(_OPEN)),
        Index("ix_book_returns_user_id_status", "user_id", "status"),
        Index("ix_book_returns_initiated_at", "initiated_at", "id"),
    )


class DeliveryTask(Base):
    """A task of a robot; its legal transitions are the table in `shared.domain.workflow`."""

    __tablename__ = "delivery_tasks"

    id: Mapped[Id]
    reference: Mapped[str] = mapped_column(unique=True)
    task_type: Mapped[TaskType] = mapped_column(text_enum(TaskType))
    status: Mapped[TaskStatus] = mapped_column(text_enum(TaskStatus), default=TaskStatus.PENDING)
    stage: Mapped[Stage | None] = mapped_column(text_enum(Stage))
    priority: Mapped[Priority] = mapped_column(text_enum(Priority), default=Priority.NORMAL)
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("book_requests.id"))
    return_id: Mapped[UUID | None] = mapped_column(ForeignKey("book_returns.id"))
    book_id: Mapped[UUID] = mapped_column(ForeignKey("books.id"))
    copy_id: Mapped[UUID] = mapped_column(ForeignKey("copies.id"))
    assigned_robot_id: Mapped[UUID | None] = mapped_column(ForeignKey("robots.id"))
    source_location: Mapped[str]
    source_waypoint_id: Mapped[UUID] = mapped_column(ForeignKey("waypoints.id"))
    destination_location: Mapped[str]
    destination_waypoint_id: Mapped[UUID] = mapped_column(ForeignKey("waypoints.id"))
    # Where a loaded robot brings the book when the task is cancelled.
    back_waypoint_id: Mapped[UUID | None] = mapped_column(ForeignKey("waypoints.id"))
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    recipient_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    loaded_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    attempt: Mapped[int] = mapped_column(default=1)
    times_not_loaded: Mapped[int] = mapped_column(default=0)
    reminders: Mapped[int] = mapped_column(default=0)  # sent in the present stage
    failure_reason: Mapped[str | None]
    book_location: Mapped[str | None]  # as stated by staff after a failure
    waiting_reason: Mapped[WaitingReason | None] = mapped_column(text_enum(WaitingReason))
    extensions: Mapped[int] = mapped_column(default=0)  # of the wait in the present stage
    claimed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    claimed_at: Mapped[datetime | None]
    eta: Mapped[datetime | None]
    eta_earliest: Mapped[datetime | None]
    eta_latest: Mapped[datetime | None]
    eta_reason: Mapped[EtaReason | None] = mapped_column(text_enum(EtaReason))
    created_at: Mapped[CreatedAt]
    started_at: Mapped[datetime | None]
    loaded_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    stage_since: Mapped[CreatedAt]
    completed_at: Mapped[datetime | None]
    details: Mapped[dict[str, Any]] = mapped_column("metadata", default=dict)
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        CheckConstraint(
            f"(({_ACTIVE}) = (stage IS NOT NULL)) "
            f"AND (NOT ({_ACTIVE}) OR assigned_robot_id IS NOT NULL)",
            name="travels_with_a_robot_and_a_stage",
        ),
        CheckConstraint(
            "(status <> 'ASSIGNED' OR stage IN ('TO_SOURCE', 'LOADING')) AND (status <> "
            "'IN_PROGRESS' OR stage IN ('TO_DESTINATION', 'HANDOVER', 'BRINGING_BACK'))",
            name="stage_belongs_to_status",
        ),
        CheckConstraint("num_nonnulls(request_id, return_id) <= 1", name="one_cause"),
        Index(
            "uq_delivery_tasks_active_robot",
            "assigned_robot_id",
            unique=True,
            postgresql_where=text(_ACTIVE),
        ),
        Index(
            "uq_delivery_tasks_open_copy",
            "copy_id",
            unique=True,
            postgresql_where=text(_OPEN),
        ),
        Index("uq_delivery_tasks_request_id", "request_id", unique=True),
        Index("uq_delivery_tasks_return_id", "return_id", unique=True),
        Index("ix_delivery_tasks_status_priority_created_at", "status", "priority", "created_at"),
        Index("ix_delivery_tasks_created_at", "created_at", "id"),
        Index("ix_delivery_tasks_assigned_robot_id", "assigned_robot_id", "created_at"),
        Index(
            "ix_delivery_tasks_completed_at",
            "completed_at",
            postgresql_where=text(f"status IN {sql_values(CLOSED_STATUSES)}"),
        ),
    )
    __mapper_args__ = {"version_id_col": version}


class TaskHistory(Base):
    __tablename__ = "task_status_history"

    id: Mapped[Id]
    task_id: Mapped[UUID] = mapped_column(ForeignKey("delivery_tasks.id"))
    action: Mapped[str]
    from_status: Mapped[TaskStatus | None] = mapped_column(text_enum(TaskStatus, "from_status"))
    to_status: Mapped[TaskStatus] = mapped_column(text_enum(TaskStatus, "to_status"))
    from_stage: Mapped[Stage | None] = mapped_column(text_enum(Stage, "from_stage"))
    to_stage: Mapped[Stage | None] = mapped_column(text_enum(Stage, "to_stage"))
    changed_by: Mapped[str]  # a user's id, or the component that acted
    reason: Mapped[str | None]
    # The robot and attempt after the transition.
    robot_id: Mapped[UUID | None] = mapped_column(ForeignKey("robots.id"))
    attempt: Mapped[int]
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        Index("ix_task_status_history_task_id", "task_id", "id"),
        Index("ix_task_status_history_created_at", "created_at"),
    )


class LoadingProof(Base):
    """A person's confirmation that the copy is on the robot; required by the command to leave."""

    __tablename__ = "loading_proofs"

    id: Mapped[Id]
    task_id: Mapped[UUID] = mapped_column(ForeignKey("delivery_tasks.id"))
    robot_id: Mapped[UUID] = mapped_column(ForeignKey("robots.id"))
    copy_id: Mapped[UUID] = mapped_column(ForeignKey("copies.id"))
    attempt: Mapped[int]
    confirmed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    confirmed_at: Mapped[CreatedAt]

    __table_args__ = (
        UniqueConstraint("task_id", "attempt"),
        UniqueConstraint("id", "task_id", "robot_id"),
    )
