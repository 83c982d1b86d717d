"""Compute the availability of a title from its copies, without a cache."""

from uuid import UUID

from sqlalchemy import and_, bindparam, func, select

from backend.book import queries
from backend.book.schemas.availability import Availability, CopyAvailability, ShelfCount
from backend.book.service.books import BOOK_NOT_FOUND
from backend.shared.errors import NotFound
from backend.shared.infra.hot_reads import HotRead
from backend.shared.models import Book, BookStatus, Condition, Copy, Hold, HoldStatus, Loan
from backend.shared.web.pagination import AnySelect


def _availability() -> AnySelect:
    """Select a title's status and waiting holds beside each copy; without copies one row."""
    holds = (
        select(func.count())
        .where(Hold.book_id == Book.id, Hold.status == HoldStatus.QUEUED)
        .scalar_subquery()
    )
    return (
        select(
            Book.status.label("title_status"),
            holds.label("holds_waiting"),
            Copy.id,
            Copy.barcode,
            Copy.condition,
            Copy.custody,
            Copy.shelf_location,
            Copy.call_number,
            queries.COPY_STATUS.label("status"),
            Loan.due_at,
        )
        .select_from(Book)
        .outerjoin(Copy, and_(Copy.book_id == Book.id, Copy.condition != Condition.WITHDRAWN))
        .outerjoin(Loan, and_(Loan.copy_id == Copy.id, Loan.returned_at.is_(None)))
        .where(Book.id == bindparam("book_id"), Book.withdrawn_at.is_(None))
        .order_by(Copy.shelf_location, Copy.barcode)
    )


AVAILABILITY = HotRead(_availability())


async def read(book_id: UUID) -> Availability:
    """Return whether, where and when a copy is available; NotFound for an unknown title."""
    rows = await AVAILABILITY.all(book_id=book_id)
    if not rows:
        raise NotFound(BOOK_NOT_FOUND)
    copies = [CopyAvailability.model_validate(row) for row in rows if row.id is not None]
    available = sum(copy.status is BookStatus.AVAILABLE for copy in copies)
    return Availability(
        book_id=book_id,
        available=available > 0,
        status=rows[0].title_status,
        copies_total=len(copies),
        copies_available=available,
        copies=copies,
        shelves=_count_by_shelf(copies),
        next_due_at=min((copy.due_at for copy in copies if copy.due_at), default=None),
        holds_waiting=rows[0].holds_waiting,
    )


def _count_by_shelf(copies: list[CopyAvailability]) -> list[ShelfCount]:
    places = [(copy.shelf_location, copy.status) for copy in copies]
    return [
        ShelfCount(shelf_location=shelf, status=status, copies=places.count((shelf, status)))
        for shelf, status in dict.fromkeys(places)
    ]
