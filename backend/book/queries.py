"""Selects of the book service."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Nullable,
    ScalarSelect,
    Select,
    and_,
    case,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from backend.book.schemas.books import BookDetail, BookRead
from backend.book.schemas.copies import CopyRead
from backend.book.schemas.imports import ImportJobRead, ImportRowRead
from backend.shared.models import (
    CLOSED_STATUSES,
    Book,
    BookRequest,
    BookReturn,
    BookStatus,
    Condition,
    Copy,
    Custody,
    DeliveryTask,
    Hold,
    HoldStatus,
    ImportJob,
    ImportRow,
    Loan,
    LoanState,
    Severity,
    User,
)
from backend.shared.web.pagination import AnySelect

BOOK_COLUMNS = [Book.__table__.c[name] for name in BookRead.model_fields]
_COMPUTED = {"copies", "merged_into", "actions"}
_DETAIL_FIELDS = [name for name in BookDetail.model_fields if name not in _COMPUTED]
_DETAIL_COLUMNS = [Book.__table__.c[name] for name in _DETAIL_FIELDS]
_COPY_COLUMNS = [Copy.__table__.c[name] for name in CopyRead.model_fields]
_JOB_COLUMNS = [ImportJob.__table__.c[name] for name in ImportJobRead.model_fields]
_ROW_COLUMNS = [ImportRow.__table__.c[name] for name in ImportRowRead.model_fields]
_LOAN_COLUMNS: tuple[Any, ...] = (
    Loan.id,
    Loan.user_id,
    Loan.copy_id,
    Copy.barcode,
    Copy.book_id,
    Book.title.label("book_title"),
    Loan.borrowed_at,
    Loan.due_at,
    Loan.returned_at,
    Loan.processed_at,
    Loan.renewals,
    Loan.channel,
    Loan.state,
    Loan.version,
    Loan.policy,
)
_HOLD_COLUMNS: tuple[Any, ...] = (
    Hold.id,
    Hold.book_id,
    Book.title.label("book_title"),
    Hold.user_id,
    Hold.status,
    Hold.placed_at,
    Hold.suspended_until,
    Hold.copy_id,
    Hold.ready_at,
    Hold.ready_until,
    Hold.closed_at,
    Hold.version,
)
# Of a loan's title: somebody waits for it; of the loan: a robot is to fetch the copy.
_HAS_WAITING = (
    select(Hold.id)
    .where(
        Hold.book_id == Copy.book_id,
        Hold.status == HoldStatus.QUEUED,
        Hold.suspended_until.is_(None),
    )
    .exists()
)
_HAS_RETURN = (
    select(BookReturn.id)
    .where(BookReturn.loan_id == Loan.id, BookReturn.status.not_in(CLOSED_STATUSES))
    .exists()
)
# The status of a title with this copy alone (api.md §6).
COPY_STATUS = case(
    (Copy.condition != Condition.OK, BookStatus.UNAVAILABLE.value),
    (Copy.custody == Custody.ON_SHELF, BookStatus.AVAILABLE.value),
    (Copy.custody == Custody.ON_LOAN, BookStatus.CHECKED_OUT.value),
    else_=BookStatus.RESERVED.value,
)
LOAN_SORTS: dict[str, ColumnElement[Any]] = {
    "borrowed_at": Loan.borrowed_at.expression,
    "due_at": Loan.due_at.expression,
}
HOLD_SORTS: dict[str, ColumnElement[Any]] = {"placed_at": Hold.placed_at.expression}
COPY_SORTS: dict[str, ColumnElement[Any]] = {
    "barcode": Copy.barcode.expression,
    "created_at": Copy.created_at.expression,
}
IMPORT_SORTS: dict[str, ColumnElement[Any]] = {"created_at": ImportJob.created_at.expression}
IMPORT_ROW_SORTS: dict[str, ColumnElement[Any]] = {"row": ImportRow.row.expression}


def book(book_id: UUID) -> AnySelect:
    """Select the columns of `BookDetail` but for its copies."""
    return select(*_DETAIL_COLUMNS).where(Book.id == book_id, Book.withdrawn_at.is_(None))


def book_status(book_id: UUID) -> Select[BookStatus]:
    """Select the status of a title that is not withdrawn."""
    return select(Book.status).where(Book.id == book_id, Book.withdrawn_at.is_(None))


def copies_with_loans(
    book_id: UUID,
) -> Select[UUID, str, Condition, Custody, str | None, str | None, str, datetime | None]:
    """Select the copies that are not withdrawn, each with the due date of its open loan."""
    open_loan = and_(Loan.copy_id == Copy.id, Loan.returned_at.is_(None))
    return (
        select(
            Copy.id,
            Copy.barcode,
            Copy.condition,
            Copy.custody,
            Copy.shelf_location,
            Copy.call_number,
            COPY_STATUS.label("status"),
            Nullable(Loan.due_at),
        )
        .outerjoin(Loan, open_loan)
        .where(Copy.book_id == book_id, Copy.condition != Condition.WITHDRAWN)
        .order_by(Copy.shelf_location, Copy.barcode)
    )


def copies(book_id: UUID) -> AnySelect:
    """Select all copies of a title, including withdrawn ones."""
    return select(*_COPY_COLUMNS).where(Copy.book_id == book_id)


def has_open_references(book_id: UUID) -> Select[bool]:
    """Select whether an open request, return or task needs the title."""
    requests = select(BookRequest.id).where(
        BookRequest.book_id == book_id,
        BookRequest.status.not_in(CLOSED_STATUSES),
    )
    returns = select(BookReturn.id).where(
        BookReturn.book_id == book_id,
        BookReturn.status.not_in(CLOSED_STATUSES),
    )
    tasks = select(DeliveryTask.id).where(
        DeliveryTask.book_id == book_id,
        DeliveryTask.status.not_in(CLOSED_STATUSES),
    )
    return select(or_(requests.exists(), returns.exists(), tasks.exists()))


def loans(
    *,
    now: datetime,
    user_id: UUID | None = None,
    status: LoanState | None = None,
    overdue: bool | None = None,
) -> AnySelect:
    """Select loans with copy and title; overdue: open and past the due date."""
    late = and_(Loan.returned_at.is_(None), Loan.due_at < now)
    statement = (
        select(
            *_LOAN_COLUMNS,
            late.label("overdue"),
            _HAS_WAITING.label("waiting"),
            _HAS_RETURN.label("returning"),
            func.coalesce(User.is_active, False).label("member_active"),
        )
        # Each loan has its copy and title; a count leaves outer joins of one row out.
        .outerjoin(Copy, Copy.id == Loan.copy_id)
        .outerjoin(Book, Book.id == Copy.book_id)
        .outerjoin(User, User.id == Loan.user_id)
    )
    if user_id is not None:
        statement = statement.where(Loan.user_id == user_id)
    if status is not None:
        statement = statement.where(Loan.state == status)
    if overdue is not None:
        statement = statement.where(late if overdue else ~late)
    return statement


def loan(loan_id: UUID, now: datetime) -> AnySelect:
    """Select one loan as `loans` does."""
    return loans(now=now).where(Loan.id == loan_id)


def _position() -> ScalarSelect[int]:
    """Count the queued holds of a title up to this one."""
    other = aliased(Hold)
    return (
        select(func.count())
        .where(
            other.book_id == Hold.book_id,
            other.status == HoldStatus.QUEUED,
            other.sequence <= Hold.sequence,
        )
        .scalar_subquery()
    )


def _due_dates() -> ScalarSelect[Any]:
    """List the due dates of a title's copies on loan, the earliest first."""
    lent = aliased(Copy)
    return (
        select(func.array_agg(aggregate_order_by(Loan.due_at, Loan.due_at)))
        .join(lent, lent.id == Loan.copy_id)
        .where(
            lent.book_id == Hold.book_id,
            Loan.returned_at.is_(None),
            Loan.state == LoanState.ACTIVE,
        )
        .scalar_subquery()
    )


def holds(
    user_id: UUID | None = None, book_id: UUID | None = None, status: HoldStatus | None = None
) -> AnySelect:
    """Select holds with title, copy, place in the queue and the due dates of the copies on loan."""
    queued = Hold.status == HoldStatus.QUEUED
    statement = (
        select(
            *_HOLD_COLUMNS,
            case((queued, _position())).label("position"),
            case((queued, _due_dates())).label("due_dates"),
            Copy.barcode,
            Copy.custody,
            Copy.robot_transportable,
        )
        .outerjoin(Book, Book.id == Hold.book_id)  # each has one; see `loans`
        .outerjoin(Copy, Copy.id == Hold.copy_id)
    )
    if user_id is not None:
        statement = statement.where(Hold.user_id == user_id)
    if book_id is not None:
        statement = statement.where(Hold.book_id == book_id)
    return statement if status is None else statement.where(Hold.status == status)


def queue(book_id: UUID) -> Select[Hold]:
    """Select the holds that wait for a copy of a title, locked."""
    waiting = select(Hold).where(Hold.book_id == book_id, Hold.status == HoldStatus.QUEUED)
    return waiting.order_by(Hold.sequence).with_for_update()


def hold(hold_id: UUID) -> AnySelect:
    """Select one hold as `holds` does."""
    return holds().where(Hold.id == hold_id)


def import_job(job_id: UUID) -> AnySelect:
    """Select the columns of `ImportJobRead`."""
    return select(*_JOB_COLUMNS).where(ImportJob.id == job_id)


def import_jobs() -> AnySelect:
    """Select the columns of `ImportJobRead` of all jobs."""
    return select(*_JOB_COLUMNS)


def import_rows(job_id: UUID, severity: Severity | None) -> AnySelect:
    """Select the row issues of an import."""
    statement = select(*_ROW_COLUMNS).where(ImportRow.job_id == job_id)
    return statement if severity is None else statement.where(ImportRow.severity == severity)


def refused_rows(job_id: UUID) -> Select[int, str, str, dict[str, str] | None]:
    """Select the errors of an import, each with its row as uploaded where that is kept."""
    return (
        select(ImportRow.row, ImportRow.code, ImportRow.message, Nullable(ImportRow.source))
        .where(ImportRow.job_id == job_id, ImportRow.severity == Severity.ERROR)
        .order_by(ImportRow.row, ImportRow.id)
    )
