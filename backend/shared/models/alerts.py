"""Alerts: what needs a person. Written by the delivery service."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.shared.models.base import Base, CreatedAt, Id, text_enum


class AlertKind(StrEnum):
    TASK_FAILED = "TASK_FAILED"
    TASK_NEEDS_ATTENTION = "TASK_NEEDS_ATTENTION"
    NO_ROBOT = "NO_ROBOT"
    REQUEST_PROBLEM = "REQUEST_PROBLEM"
    ROBOT_OFFLINE = "ROBOT_OFFLINE"
    ROBOT_ERROR = "ROBOT_ERROR"
    STOP_UNCONFIRMED = "STOP_UNCONFIRMED"
    EVENT_DEAD = "EVENT_DEAD"
    EVENTS_LATE = "EVENTS_LATE"


class AlertSeverity(StrEnum):
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


class ProblemKind(StrEnum):
    """What a member reports about a delivery."""

    WRONG_BOOK = "WRONG_BOOK"
    NO_BOOK = "NO_BOOK"
    OTHER = "OTHER"


class Alert(Base):
    """One fault, however often it is reported while the alert is open."""

    __tablename__ = "alerts"

    id: Mapped[Id]
    kind: Mapped[AlertKind] = mapped_column(text_enum(AlertKind))
    subject: Mapped[str]  # what the fault is of: `task:<id>`, `robot:<id>`, `system`
    severity: Mapped[AlertSeverity] = mapped_column(text_enum(AlertSeverity))
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("delivery_tasks.id"))
    robot_id: Mapped[UUID | None] = mapped_column(ForeignKey("robots.id"))
    message: Mapped[str]
    reason: Mapped[str | None]
    count: Mapped[int] = mapped_column(default=1)
    first_at: Mapped[CreatedAt]
    last_at: Mapped[CreatedAt]
    claimed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    claimed_at: Mapped[datetime | None]
    resolved_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    resolved_at: Mapped[datetime | None]  # null: open
    resolution: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        Index(
            "uq_alerts_open",
            "kind",
            "subject",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
        Index("ix_alerts_task_id", "task_id"),
        Index("ix_alerts_robot_id", "robot_id"),
        Index("ix_alerts_last_at", "last_at", "id"),
    )
    __mapper_args__ = {"version_id_col": version}
