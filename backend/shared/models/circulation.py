"""Loans, holds, and the rules they follow.

Loans are opened and closed through `shared.domain.loans`; the book service owns the rest.
"""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.shared.models.base import Base, CreatedAt, Id, text_enum
from backend.shared.models.catalogue import CopyKind
from backend.shared.models.users import Role


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
    # The last notice sent about the due date (0: none), counted anew after a renewal.
    notice_step: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    version: Mapped[int] = mapped_column(default=1, server_default="1")

    __table_args__ = (
        Index(
            "uq_loans_open_copy",
            "copy_id",
            unique=True,
            postgresql_where=text("returned_at IS NULL"),
        ),
        Index("ix_loans_user_id", "user_id", "returned_at"),
        Index("ix_loans_copy_id", "copy_id", "borrowed_at"),
        Index("ix_loans_borrowed_at", "borrowed_at", "id"),
        Index("ix_loans_due_at", "due_at", "id"),
        Index(
            "ix_loans_open_borrowed_at",
            "borrowed_at",
            "id",
            postgresql_where=text("returned_at IS NULL"),
        ),
        Index(
            "ix_loans_state",
            "state",
            "borrowed_at",
            "id",
            postgresql_where=text("state <> 'RETURNED'"),
        ),
        Index(
            "ix_loans_open_due_at",
            "due_at",
            "id",
            postgresql_where=text("returned_at IS NULL"),
        ),
    )
    __mapper_args__ = {"version_id_col": version}


class HoldStatus(StrEnum):
    QUEUED = "QUEUED"
    READY = "READY"  # its copy is on the hold shelf, or on its way to the member
    FULFILLED = "FULFILLED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


OPEN_HOLD_STATUSES = (HoldStatus.QUEUED, HoldStatus.READY)


class Hold(Base):
    """A member's place in the queue for a title with no free copy."""

    __tablename__ = "holds"

    id: Mapped[Id]
    book_id: Mapped[UUID] = mapped_column(ForeignKey("books.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    placed_at: Mapped[CreatedAt]
    sequence: Mapped[int] = mapped_column(BigInteger)  # order in the queue of the title
    suspended_until: Mapped[datetime | None]  # no copy is kept for it while this is set
    status: Mapped[HoldStatus] = mapped_column(text_enum(HoldStatus), default=HoldStatus.QUEUED)
    copy_id: Mapped[UUID | None] = mapped_column(ForeignKey("copies.id"))
    ready_at: Mapped[datetime | None]
    ready_until: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        CheckConstraint(
            "(status = 'READY') <= (copy_id IS NOT NULL AND ready_until IS NOT NULL)",
            name="ready_hold_has_a_copy",
        ),
        CheckConstraint("status <> 'QUEUED' OR copy_id IS NULL", name="queued_hold_has_no_copy"),
        Index(
            "uq_holds_open_user_book",
            "user_id",
            "book_id",
            unique=True,
            postgresql_where=text("status IN ('QUEUED', 'READY')"),
        ),
        Index(
            "uq_holds_ready_copy",
            "copy_id",
            unique=True,
            postgresql_where=text("status = 'READY'"),
        ),
        Index(
            "uq_holds_queue",
            "book_id",
            "sequence",
            unique=True,
            postgresql_where=text("status = 'QUEUED'"),
        ),
        Index("ix_holds_ready_until", "ready_until", postgresql_where=text("status = 'READY'")),
        Index(
            "ix_holds_suspended_until",
            "suspended_until",
            postgresql_where=text("suspended_until IS NOT NULL"),
        ),
        Index("ix_holds_user_id", "user_id", "placed_at"),
        Index("ix_holds_book_id", "book_id", "placed_at"),
        Index("ix_holds_placed_at", "placed_at", "id"),
        Index("ix_holds_copy_id", "copy_id"),
    )
    __mapper_args__ = {"version_id_col": version}


class LoanPolicy(Base):
    """Rules for a role and a kind of copy; the settings apply where there is no row."""

    __tablename__ = "loan_policies"

    role: Mapped[Role] = mapped_column(text_enum(Role), primary_key=True)
    kind: Mapped[CopyKind] = mapped_column(text_enum(CopyKind), primary_key=True)
    loan_days: Mapped[int]
    max_renewals: Mapped[int]
    max_loans: Mapped[int]
    max_overdue: Mapped[int]
    max_holds: Mapped[int]
    hold_days: Mapped[int]


class CalendarEntry(Base):
    """Opening hours of a day of the week, or of one date; without hours the library is closed.

    Without any row the library is open from Monday to Saturday.
    """

    __tablename__ = "calendar"

    id: Mapped[Id]
    weekday: Mapped[int | None] = mapped_column(SmallInteger, unique=True)  # 0 is Monday
    day: Mapped[date | None] = mapped_column(unique=True)
    opens: Mapped[time | None]
    closes: Mapped[time | None]
    note: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("num_nonnulls(weekday, day) = 1", name="weekday_or_day"),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint(
            "num_nonnulls(opens, closes) <> 1 AND (opens IS NULL OR opens < closes)", name="hours"
        ),
    )


class NoticeDay(Base):
    """A day on which a member has received the digest of due dates: at most one a day."""

    __tablename__ = "notice_days"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[date] = mapped_column(primary_key=True)


class BookMerge(Base):
    """A title whose copies and open holds were moved to another, so that it can be undone."""

    __tablename__ = "book_merges"

    id: Mapped[Id]
    book_id: Mapped[UUID] = mapped_column(ForeignKey("books.id"))
    into_id: Mapped[UUID] = mapped_column(ForeignKey("books.id"))
    copies: Mapped[list[str]]  # ids of what was moved
    holds: Mapped[list[str]]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]
    undone_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_book_merges_book_id", "book_id"),
        Index("ix_book_merges_into_id", "into_id"),
    )
