"""Lists for staff: what is overdue, kept too long, in demand, unused or missing."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Double, SQLColumnExpression, cast, func, select

from backend.shared.infra import clock
from backend.shared.models import Book, Condition, Copy, Custody, Hold, HoldStatus, Loan, User
from backend.shared.web.pagination import AnySelect, PageQuery, Sorting, sorting

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


class _Listed(NamedTuple):
    """The rows of a list, and the column of its order: the most urgent first."""

    rows: AnySelect
    sort: str  # descending if it begins with `-`
    column: SQLColumnExpression[Any]
    tiebreak: SQLColumnExpression[Any]

    def sorting(self, query: PageQuery) -> Sorting:
        return sorting(query, {self.sort.lstrip("-"): self.column}, self.sort, self.tiebreak)


def _overdue() -> _Listed:
    rows = (
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
    )
    return _Listed(rows, "due_at", Loan.due_at, Loan.id)


def _hold_shelf() -> _Listed:
    """Select the copies on the hold shelf, those to clear first."""
    rows = (
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
    )
    return _Listed(rows, "ready_until", Hold.ready_until, Hold.id)


def _high_demand() -> _Listed:
    """Select the titles that somebody waits for, by holds per copy."""
    waiting = (
        select(Hold.book_id, func.count().label("waiting"))
        .where(Hold.status == HoldStatus.QUEUED)
        .group_by(Hold.book_id)
        .subquery()
    )
    rows = select(Book.id, Book.title, Book.author, Book.copies_total, waiting.c.waiting).join(
        waiting, waiting.c.book_id == Book.id
    )
    per_copy = cast(waiting.c.waiting, Double) / func.greatest(Book.copies_total, 1)
    return _Listed(rows, "-waiting_per_copy", per_copy, Book.id)


def _never_borrowed() -> _Listed:
    """Select the copies that have stood on their shelf for a year without a loan."""
    borrowed = select(Loan.id).where(Loan.copy_id == Copy.id).exists()
    rows = (
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
    )
    return _Listed(rows, "shelf_location", Copy.shelf_location, Copy.id)


def _missing() -> _Listed:
    rows = (
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
    )
    return _Listed(rows, "shelf_location", Copy.shelf_location, Copy.id)


_LISTS: Mapping[StaffList, Callable[[], _Listed]] = {
    StaffList.OVERDUE: _overdue,
    StaffList.HOLD_SHELF: _hold_shelf,
    StaffList.HIGH_DEMAND: _high_demand,
    StaffList.NEVER_BORROWED: _never_borrowed,
    StaffList.MISSING: _missing,
}


def select_page(name: StaffList, query: PageQuery) -> AnySelect:
    """Select the rows of a list in its order, or in the reverse; 422 for any other."""
    listed = _LISTS[name]()
    return listed.sorting(query).apply(listed.rows)


def read_all(connection: Connection, name: StaffList) -> tuple[list[str], list[dict[Any, Any]]]:
    """Return the column names and the rows of a list."""
    listed = _LISTS[name]()
    direction = listed.column.desc() if listed.sort.startswith("-") else listed.column.asc()
    rows = listed.rows.order_by(direction, listed.tiebreak).limit(_MAX_CSV_ROWS)
    result = connection.execute(rows)
    return list(result.keys()), [dict(row) for row in result.mappings()]
