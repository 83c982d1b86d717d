"""What a path names, loaded and locked; 404 for what is not (or no longer) in the catalogue.

Called inside a route, not before it: what is wrong with a body is told before what is not found.
"""

from uuid import UUID

from sqlalchemy.orm import Session

from backend.book import queries
from backend.shared.errors import NotFound
from backend.shared.infra import database
from backend.shared.models import Book, Copy


def book(session: Session, book_id: UUID) -> Book:
    """A title of the catalogue, locked."""
    found = database.row_lock_or_none(session, Book, book_id)
    if found is None or found.withdrawn_at is not None:
        raise NotFound(queries.NO_BOOK)
    return found


def copy(session: Session, book_id: UUID, copy_id: UUID) -> Copy:
    """A copy of a title of the catalogue, locked; the copy before the title, as custody does."""
    found = database.row_lock_or_none(session, Copy, copy_id)
    book(session, book_id)
    if found is None or found.book_id != book_id:
        raise NotFound("This book has no such copy.")
    return found
