"""Lists for staff: what is overdue, kept too long, in demand, unused or missing."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, select

from backend.shared.infra import clock
from backend.shared.models import Book, Condition, Copy, Custody, Hold, HoldStatus, Loan, User
from backend.shared.web.pagination import AnySelect

_NAME = func.concat_ws(" ", User.first_name, User.last_name)
_UNUSED_AFTER = timedelta(days=365)
_MAX_CSV_ROWS = 100_000


class StaffList(StrEnum):
    """The lists of `GET /loans/lists/{name}`."""

    OVERDUE = "overdue"
    HOLD_SHELF = "hold-shelf"
    HIGH_DEMAND = "high-demand"
    NEVER_BORROWED = "never-borrowed"
    MISSING = "missing"


def _overdue() -> AnySelect:
    return (
        select(
            Loan.id,
            Loan.due_at,
            Book.title,
            Copy.barcode,
            Copy.call_number,
            Loan.user_id,
            _NAME.label("member_name"),
            User.email,
            Loan.state,
        )
        .join(Copy, Copy.id == Loan.copy_id)
        .join(Book, Book.id == Copy.book_id)
        .outerjoin(User, User.id == Loan.user_id)
        .where(Loan.returned_at.is_(None), Loan.due_at < clock.now())
        .order_by(Loan.due_at, Loan.id)
    )


def _hold_shelf() -> AnySelect:
    """Select the copies on the hold shelf, those to clear first."""
    return (
        select(
            Hold.id,
            Hold.ready_until,
            (Hold.ready_until < clock.now()).label("to_clear"),
            Book.title,
            Copy.barcode,
            Hold.user_id,
            _NAME.label("member_name"),
        )
        .join(Copy, Copy.id == Hold.copy_id)
        .join(Book, Book.id == Hold.book_id)
        .join(User, User.id == Hold.user_id)
        .where(Hold.status == HoldStatus.READY, Copy.custody == Custody.ON_HOLD_SHELF)
        .order_by(Hold.ready_until, Hold.id)
    )


def _high_demand() -> AnySelect:
    """Select the titles that somebody waits for, by holds per copy."""
    waiting = (
        select(Hold.book_id, func.count().label("waiting"))
        .where(Hold.status == HoldStatus.QUEUED)
        .group_by(Hold.book_id)
        .subquery()
    )
    copies = func.greatest(Book.copies_total, 1)
    return (
        select(Book.id, Book.title, Book.author, Book.copies_total, waiting.c.waiting)
        .join(waiting, waiting.c.book_id == Book.id)
        .order_by((waiting.c.waiting * 1.0 / copies).desc(), Book.id)
    )


def _never_borrowed() -> AnySelect:
    """Select the copies that have stood on their shelf for a year without a loan."""
    borrowed = select(Loan.id).where(Loan.copy_id == Copy.id).exists()
    return (
        select(
            Copy.id,
            Book.title,
            Copy.barcode,
            Copy.shelf_location,
            Copy.call_number,
            Copy.created_at,
        )
        .join(Book, Book.id == Copy.book_id)
        .where(
            Copy.created_at < clock.now() - _UNUSED_AFTER,
            Copy.condition != Condition.WITHDRAWN,
            ~borrowed,
        )
        .order_by(Copy.shelf_location, Copy.id)
    )


def _missing() -> AnySelect:
    return (
        select(
            Copy.id,
            Book.title,
            Copy.barcode,
            Copy.condition,
            Copy.shelf_location,
            Copy.call_number,
            Copy.last_seen_at,
        )
        .join(Book, Book.id == Copy.book_id)
        .where(
            Copy.condition.in_([Condition.MISSING, Condition.LOST]),
        )
        .order_by(Copy.shelf_location, Copy.id)
    )


SELECTS: Mapping[StaffList, Callable[[], AnySelect]] = {
    StaffList.OVERDUE: _overdue,
    StaffList.HOLD_SHELF: _hold_shelf,
    StaffList.HIGH_DEMAND: _high_demand,
    StaffList.NEVER_BORROWED: _never_borrowed,
    StaffList.MISSING: _missing,
}


def read_page(
    connection: Connection, name: StaffList, limit: int, offset: int
) -> tuple[Sequence[Any], int]:
    """Return the rows of one page and the number of all rows."""
    statement = SELECTS[name]()
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    rows = connection.execute(statement.limit(limit).offset(offset)).all()
    return rows, connection.execute(counted).scalar_one()


def read_all(connection: Connection, name: StaffList) -> tuple[list[str], list[dict[Any, Any]]]:
    """Return the column names and the rows of a list."""
    result = connection.execute(SELECTS[name]().limit(_MAX_CSV_ROWS))
    return list(result.keys()), [dict(row) for row in result.mappings()]
