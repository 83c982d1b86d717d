"""Loans. Opened and closed through `shared.custody`; read by the book service."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.shared.models.base import Base, CreatedAt, Id, text_enum


class LoanChannel(StrEnum):
    ROBOT = "ROBOT"
    DESK = "DESK"
    RPC = "RPC"


class LoanState(StrEnum):
    ACTIVE = "ACTIVE"
    RETURNED = "RETURNED"
    CLAIMED_RETURNED = "CLAIMED_RETURNED"
    LOST = "LOST"


class Loan(Base):
    __tablename__ = "loans"

    id: Mapped[Id]
    copy_id: Mapped[UUID] = mapped_column(ForeignKey("copies.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    borrowed_at: Mapped[CreatedAt]
    due_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]  # the robot (or desk) has the book
    processed_at: Mapped[datetime | None]  # staff have received it
    renewals: Mapped[int] = mapped_column(default=0)
    channel: Mapped[LoanChannel] = mapped_column(text_enum(LoanChannel))
    state: Mapped[LoanState] = mapped_column(text_enum(LoanState), default=LoanState.ACTIVE)
    policy: Mapped[dict[str, Any]] = mapped_column(default=dict)

    __table_args__ = (
        Index(
            "uq_loans_open_copy",
            "copy_id",
            unique=True,
            postgresql_where=text("returned_at IS NULL"),
        ),
        Index("ix_loans_user_id", "user_id", "returned_at"),
        Index("ix_loans_borrowed_at", "borrowed_at", "id"),
        Index("ix_loans_due_at", "due_at", "id"),
        Index(
            "ix_loans_open_borrowed_at",
            "borrowed_at",
            "id",
            postgresql_where=text("returned_at IS NULL"),
        ),
    )
