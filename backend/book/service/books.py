"""Rules of titles: create, update, withdraw."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.book import queries
from backend.book.schemas.books import BookCreate, BookUpdate
from backend.book.service import barcodes, changes
from backend.book.service.copies import WITHDRAWABLE
from backend.shared.domain.circulation import custody, holds
from backend.shared.domain.circulation.custody import CustodyContext
from backend.shared.errors import BookInUse, IsbnTaken, NotFound
from backend.shared.events import BookAdded, BookRemoved, BookUpdated
from backend.shared.infra import clock, database
from backend.shared.messaging import outbox
from backend.shared.models import Book, Condition, Copy, HoldStatus

BOOK_NOT_FOUND = "Book not found. It may have been withdrawn."


def create(session: Session, actor_id: UUID, body: BookCreate) -> Book:
    """Create a title with its copies; IsbnTaken when another title has its ISBN."""
    book = Book(**body.model_dump(exclude={"copies"}))
    session.add(book)
    changes.flush(session, IsbnTaken(isbn=book.isbn))
    for barcode in barcodes.generate(session, body.copies):
        session.add(
            Copy(
                book_id=book.id,
                barcode=barcode,
                shelf_location=book.shelf_location,
                call_number=book.call_number,
            )
        )
    session.flush()
    session.refresh(book)
    outbox.publish(session, BookAdded(book_id=book.id, title=book.title))
    after = body.model_dump(mode="json", exclude_unset=True)
    changes.record(session, actor_id, "book.create", book, {"after": after})
    return book


def update(session: Session, actor_id: UUID, book: Book, body: BookUpdate) -> Book:
    """Change the given fields; write nothing when all of them have their value already."""
    changed = changes.apply(book, body.model_dump(exclude_unset=True))
    if not changed:
        return book
    changes.flush(session, IsbnTaken(isbn=book.isbn))
    outbox.publish(session, BookUpdated(book_id=book.id, title=book.title))
    changes.record(session, actor_id, "book.update", book, changed)
    return book


def lock_with_copies(session: Session, book_id: UUID) -> tuple[Book, Sequence[Copy]]:
    """Lock copies before the title, as custody does, so that a reservation is waited for."""
    statement = select(Copy).where(Copy.book_id == book_id).order_by(Copy.id).with_for_update()
    session.execute(statement).all()
    book = database.row_lock_or_none(session, Book, book_id)
    if book is None or book.withdrawn_at is not None:
        raise NotFound(BOOK_NOT_FOUND)
    return book, session.execute(statement).scalars().all()


def withdraw(session: Session, actor_id: UUID, book_id: UUID) -> None:
    """Withdraw a title and its copies; their history stays.

    BookInUse while a copy is out, reserved or in transit.
    """
    book, copies = lock_with_copies(session, book_id)
    if any(copy.custody not in WITHDRAWABLE for copy in copies):
        raise BookInUse
    if session.execute(queries.has_open_references(book_id)).scalar_one():
        raise BookInUse
    for copy in copies:
        before = custody.state_of(copy)
        copy.condition = Condition.WITHDRAWN
        custody.record(session, copy, before, CustodyContext(str(actor_id)))
    book.withdrawn_at = clock.now()
    session.flush()
    for hold in session.execute(queries.queue(book_id)).scalars().all():
        holds.close(session, hold, HoldStatus.CANCELLED)
    outbox.publish(session, BookRemoved(book_id=book.id, title=book.title))
    changes.record(session, actor_id, "book.withdraw", book, {})
