"""Selects of the book service."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Nullable,
    Select,
    and_,
    bindparam,
    case,
    or_,
    select,
)

from backend.book.schemas.books import BookDetail, BookRead
from backend.book.schemas.copies import CopyRead
from backend.book.schemas.imports import ImportJobRead, ImportRowRead
from backend.shared.infra.hot_reads import HotRead
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
    ImportJob,
    ImportRow,
    Loan,
    LoanState,
    Severity,
)
from backend.shared.web.pagination import AnySelect

BOOK_COLUMNS = [Book.__table__.c[name] for name in BookRead.model_fields]
_DETAIL_COLUMNS = [Book.__table__.c[name] for name in BookDetail.model_fields if name != "copies"]
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
)
# The status of a title with this copy alone (api.md §6).
_COPY_STATUS = case(
    (Copy.condition != Condition.OK, BookStatus.UNAVAILABLE.value),
    (Copy.custody == Custody.ON_SHELF, BookStatus.AVAILABLE.value),
    (Copy.custody == Custody.ON_LOAN, BookStatus.CHECKED_OUT.value),
    else_=BookStatus.RESERVED.value,
)
LOAN_SORTS: dict[str, ColumnElement[Any]] = {
    "borrowed_at": Loan.borrowed_at.expression,
    "due_at": Loan.due_at.expression,
}
COPY_SORTS: dict[str, ColumnElement[Any]] = {
    "barcode": Copy.barcode.expression,
    "created_at": Copy.created_at.expression,
}
IMPORT_SORTS: dict[str, ColumnElement[Any]] = {"created_at": ImportJob.created_at.expression}
IMPORT_ROW_SORTS: dict[str, ColumnElement[Any]] = {"row": ImportRow.row.expression}


def book(book_id: UUID) -> AnySelect:
    """Select the columns of `BookDetail` but for its copies."""
    return select(*_DETAIL_COLUMNS).where(Book.id == book_id, Book.withdrawn_at.is_(None))


def book_status(book_id: UUID | BindParameter[UUID]) -> Select[BookStatus]:
    """Select the status of a title that is not withdrawn."""
    return select(Book.status).where(Book.id == book_id, Book.withdrawn_at.is_(None))


def copies_with_loans(
    book_id: UUID | BindParameter[UUID],
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
            _COPY_STATUS.label("status"),
            Nullable(Loan.due_at),
        )
        .outerjoin(Loan, open_loan)
        .where(Copy.book_id == book_id, Copy.condition != Condition.WITHDRAWN)
        .order_by(Copy.shelf_location, Copy.barcode)
    )


TITLE_STATUS = HotRead(book_status(bindparam("book_id")))
COPIES = HotRead(copies_with_loans(bindparam("book_id")))


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
        select(*_LOAN_COLUMNS, late.label("overdue"))
        .join(Copy, Copy.id == Loan.copy_id)
        .join(Book, Book.id == Copy.book_id)
    )
    if user_id is not None:
        statement = statement.where(Loan.user_id == user_id)
    if status is not None:
        statement = statement.where(Loan.state == status)
    if overdue is not None:
        statement = statement.where(late if overdue else ~late)
    return statement


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
