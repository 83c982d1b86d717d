"""Compute the availability of a title from its copies, without a cache."""

from uuid import UUID

from backend.book import queries
from backend.book.schemas.availability import Availability, CopyAvailability, ShelfCount
from backend.book.service.books import BOOK_NOT_FOUND
from backend.shared.errors import NotFound
from backend.shared.models import BookStatus


async def read(book_id: UUID) -> Availability:
    """Return whether, where and when a copy is available; NotFound for an unknown title."""
    status = await queries.TITLE_STATUS.scalar(book_id=book_id)
    if status is None:
        raise NotFound(BOOK_NOT_FOUND)
    rows = await queries.COPIES.all(book_id=book_id)
    copies = [CopyAvailability.model_validate(row) for row in rows]
    available = sum(copy.status is BookStatus.AVAILABLE for copy in copies)
    return Availability(
        book_id=book_id,
        available=available > 0,
        status=status,
        copies_total=len(copies),
        copies_available=available,
        copies=copies,
        shelves=_count_by_shelf(copies),
        next_due_at=min((copy.due_at for copy in copies if copy.due_at), default=None),
        holds_waiting=0,
    )


def _count_by_shelf(copies: list[CopyAvailability]) -> list[ShelfCount]:
    places = [(copy.shelf_location, copy.status) for copy in copies]
    return [
        ShelfCount(shelf_location=shelf, status=status, copies=places.count((shelf, status)))
        for shelf, status in dict.fromkeys(places)
    ]
