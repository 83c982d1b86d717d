"""The rules of titles and copies: adding, changing and withdrawing them."""

from typing import Any
from uuid import UUID

from psycopg2.errors import UniqueViolation
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.book import queries
from backend.book.schemas.books import BookCreate, BookUpdate
from backend.book.service import barcodes
from backend.shared.domain import audit
from backend.shared.errors import BookInUse, IsbnTaken, NotFound
from backend.shared.events import BookAdded, BookRemoved, BookUpdated
from backend.shared.infra import cache, clock, commit_hooks, database
from backend.shared.messaging import outbox
from backend.shared.models import (
    Book,
    Condition,
    Copy,
    Custody,
)

Changes = dict[str, dict[str, Any]]


def create(session: Session, actor_id: UUID, given: BookCreate) -> Book:
    """A new title with its copies; IsbnTaken when another has its ISBN."""
    book = Book(**given.model_dump(exclude={"copies"}))
    session.add(book)
    _flush_title(session, book)
    for barcode in barcodes.new(session, given.copies):
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
    audit.record(
        session,
        actor_id=actor_id,
        action="book.create",
        resource=("book", book.id),
        changes={"after": given.model_dump(mode="json", exclude_unset=True)},
    )
    forget(session, book.id)
    return book


def update(session: Session, actor_id: UUID, book: Book, given: BookUpdate) -> Book:
    """Change what was given; nothing is written when all of it stands already."""
    changes = apply_changes(book, given.model_dump(exclude_unset=True))
    if not changes:
        return book
    _flush_title(session, book)
    outbox.publish(session, BookUpdated(book_id=book.id, title=book.title))
    record_change(session, actor_id, "book.update", book, changes)
    return book


def withdraw(session: Session, actor_id: UUID, book_id: UUID) -> None:
    """Take a title and its copies out of the catalogue; history keeps them.

    BookInUse while a copy is out, reserved or travelling. Copies are locked before the title, as
    custody does, so that a copy being reserved at this moment is waited for.
    """
    every_copy = select(Copy).where(Copy.book_id == book_id).order_by(Copy.id).with_for_update()
    session.execute(every_copy).all()
    book = database.row_lock_or_none(session, Book, book_id)
    if book is None or book.withdrawn_at is not None:
        raise NotFound
    copies = session.execute(every_copy).scalars().all()
    if any(_is_in_use(copy) for copy in copies):
        raise BookInUse
    if session.execute(queries.has_open_references(book_id)).scalar_one():
        raise BookInUse
    for copy in copies:
        copy.condition = Condition.WITHDRAWN
    book.withdrawn_at = clock.now()
    session.flush()
    outbox.publish(session, BookRemoved(book_id=book.id, title=book.title))
    record_change(session, actor_id, "book.withdraw", book, {})


def forget(session: Session, book_id: UUID) -> None:
    """Once committed, no cached answer tells of the title as it was."""
    database.on_commit(session, commit_hooks.Delete(cache.book_key(book_id)))
    database.on_commit(session, commit_hooks.Increment(cache.CATALOGUE_VERSION))


def apply_changes(row: Book | Copy, values: dict[str, Any]) -> Changes:
    """Set what differs; each changed field with its value before and after."""
    changes = {
        name: {"before": getattr(row, name), "after": value}
        for name, value in values.items()
        if getattr(row, name) != value
    }
    for name, change in changes.items():
        setattr(row, name, change["after"])
    return changes


def _flush_title(session: Session, book: Book) -> None:
    """Write the title; the index decides who was first with an ISBN."""
    number = book.isbn
    try:
        session.flush()
    except IntegrityError as error:
        if isinstance(error.orig, UniqueViolation):
            raise IsbnTaken(isbn=number) from error
        raise


def _is_in_use(copy: Copy) -> bool:
    return copy.custody is not Custody.ON_SHELF


def refuse_in_use(copy: Copy) -> None:
    if _is_in_use(copy):
        raise BookInUse(custody=copy.custody.value)


def record_change(
    session: Session, actor_id: UUID, action: str, row: Book | Copy, changes: dict[str, Any]
) -> None:
    """Audit a change and forget what was cached of the title."""
    book_id = row.id if isinstance(row, Book) else row.book_id
    kind = "book" if isinstance(row, Book) else "copy"
    plain = {name: _as_json(change) for name, change in changes.items()}
    audit.record(session, actor_id=actor_id, action=action, resource=(kind, row.id), changes=plain)
    forget(session, book_id)


def _as_json(change: dict[str, Any]) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, UUID) else value for name, value in change.items()
    }
