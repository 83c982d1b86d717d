"""What is read of titles, copies and loans."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, or_, select

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
    Loan,
    LoanState,
)

# Where a copy in usable condition is, as the title's status tells it (api.md §6).
NO_BOOK = "There is no such book in the catalogue."
BOOK_COLUMNS: tuple[Any, ...] = (
    Book.id,
    Book.isbn,
    Book.title,
    Book.subtitle,
    Book.author,
    Book.publisher,
    Book.publication_year,
    Book.description,
    Book.cover_image_url,
    Book.status,
    Book.shelf_location,
    Book.call_number,
    Book.subjects,
    Book.language,
    Book.copies_total,
    Book.copies_available,
    Book.created_at,
    Book.updated_at,
)

_COPY_STATUS = case(
    (Copy.condition != Condition.OK, BookStatus.UNAVAILABLE.value),
    (Copy.custody == Custody.ON_SHELF, BookStatus.AVAILABLE.value),
    (Copy.custody == Custody.ON_LOAN, BookStatus.CHECKED_OUT.value),
    else_=BookStatus.RESERVED.value,
)
_COPY: tuple[Any, ...] = (
    Copy.id,
    Copy.book_id,
    Copy.barcode,
    Copy.condition,
    Copy.custody,
    Copy.shelf_location,
    Copy.call_number,
    Copy.home_workstation_id,
    Copy.robot_transportable,
    Copy.note,
    Copy.last_seen_at,
    Copy.version,
    Copy.created_at,
    Copy.updated_at,
)
_LOAN: tuple[Any, ...] = (
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
LOAN_SORTS: dict[str, ColumnElement[Any]] = {
    "borrowed_at": Loan.borrowed_at.expression,
    "due_at": Loan.due_at.expression,
}
COPY_SORTS: dict[str, ColumnElement[Any]] = {
    "barcode": Copy.barcode.expression,
    "created_at": Copy.created_at.expression,
}


def book(book_id: UUID) -> Select[Any]:
    """One title of the catalogue, in full."""
    columns = (*BOOK_COLUMNS, Book.contributors, Book.edition, Book.version)
    return select(*columns).where(Book.id == book_id, Book.withdrawn_at.is_(None))


def copies_with_loans(book_id: UUID) -> Select[Any]:
    """The copies of a title that are not withdrawn, each with when its open loan is due."""
    open_loan = and_(Loan.copy_id == Copy.id, Loan.returned_at.is_(None))
    statement: Select[Any] = (
        select(
            Copy.id,
            Copy.barcode,
            Copy.condition,
            Copy.custody,
            Copy.shelf_location,
            Copy.call_number,
            _COPY_STATUS.label("status"),
            Loan.due_at,
        )
        .outerjoin(Loan, open_loan)
        .where(Copy.book_id == book_id, Copy.condition != Condition.WITHDRAWN)
        .order_by(Copy.shelf_location, Copy.barcode)
    )
    return statement


def copies(book_id: UUID) -> Select[Any]:
    """All copies of a title, withdrawn ones too."""
    return select(*_COPY).where(Copy.book_id == book_id)


def has_open_references(book_id: UUID) -> Select[Any]:
    """True in a row for what still needs the title: a request, a return or a journey."""
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
) -> Select[Any]:
    """Loans with copy and title; overdue: open and past the due date."""
    late = and_(Loan.returned_at.is_(None), Loan.due_at < now)
    statement = (
        select(*_LOAN, late.label("overdue"))
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
