"""Join duplicate titles, and take a merge back."""

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend.book import queries
from backend.book.service import changes
from backend.book.service.books import BOOK_NOT_FOUND
from backend.shared.domain.circulation import custody, holds
from backend.shared.domain.circulation.custody import CustodyContext, CustodyTransition
from backend.shared.errors import BookInUse, Conflict, IsbnTaken, NotFound, invalid
from backend.shared.events import BookAdded, BookRemoved
from backend.shared.infra import clock, database
from backend.shared.messaging import outbox
from backend.shared.models import (
    OPEN_HOLD_STATUSES,
    Book,
    BookMerge,
    Copy,
    Custody,
    Hold,
    HoldStatus,
)

_MOVING = frozenset({Custody.RESERVED, Custody.ON_ROBOT})


def merge(session: Session, actor_id: UUID, book_id: UUID, into_id: UUID) -> BookMerge:
    """Move the copies and holds of a title to another; its id leads to the other from now on.

    BookInUse while a request, a return or a robot has a copy of the title.
    """
    if book_id == into_id:
        raise invalid("into", "must be another book")
    copies = _lock_copies(session, book_id)
    books = {each: _locked_title(session, each) for each in sorted((book_id, into_id))}
    if any(copy.custody in _MOVING for copy in copies):
        raise BookInUse
    if session.execute(queries.has_open_references(book_id)).scalar_one():
        raise BookInUse
    moved_holds = _move_holds(session, book_id, into_id)
    _move_copies(session, [copy.id for copy in copies], into_id)
    merge = BookMerge(
        book_id=book_id,
        into_id=into_id,
        copies=[str(copy.id) for copy in copies],
        holds=[str(each) for each in moved_holds],
        created_by=actor_id,
    )
    session.add(merge)
    book = books[book_id]
    book.withdrawn_at, book.merged_into_id = clock.now(), into_id
    session.flush()
    custody.offer_available(session, into_id, CustodyContext(str(actor_id)))
    outbox.publish(session, BookRemoved(book_id=book_id, title=book.title))
    changes.record(session, actor_id, "book.merge", book, {"into": {"after": str(into_id)}})
    changes.invalidate(session, into_id)
    return merge


def undo(session: Session, actor_id: UUID, merge_id: UUID) -> None:
    """Restore the title with the copies and open holds that the merge moved.

    Conflict while a copy is reserved or on a robot; IsbnTaken when another title has its ISBN.
    Repeating it changes nothing.
    """
    merge = database.row_lock_or_none(session, BookMerge, merge_id)
    if merge is None:
        raise NotFound("Merge not found.")
    if merge.undone_at is not None:
        return
    copies = _lock_copies(session, merge.into_id, [UUID(each) for each in merge.copies])
    if any(copy.custody in _MOVING for copy in copies):
        raise Conflict("A copy is reserved or on a robot. Undo the merge when it is back.")
    book = database.row_lock(session, Book, merge.book_id)
    book.withdrawn_at, book.merged_into_id = None, None
    changes.flush(session, IsbnTaken(isbn=book.isbn))
    moved = [copy.id for copy in copies]
    wanted = Hold.id.in_([UUID(each) for each in merge.holds])
    kept = (Hold.copy_id.is_(None)) | Hold.copy_id.in_(moved)
    session.execute(
        update(Hold)
        .where(wanted, kept, Hold.status.in_(OPEN_HOLD_STATUSES))
        .values(book_id=merge.book_id, version=Hold.version + 1)
    )
    session.expire_all()
    _move_copies(session, moved, merge.book_id)
    _free_kept_copies(session, merge, moved, CustodyContext(str(actor_id)))
    merge.undone_at = clock.now()
    session.flush()
    for each in (merge.book_id, merge.into_id):
        custody.offer_available(session, each, CustodyContext(str(actor_id)))
    outbox.publish(session, BookAdded(book_id=book.id, title=book.title))
    changes.record(session, actor_id, "book.unmerge", book, {})
    changes.invalidate(session, merge.into_id)


def _free_kept_copies(
    session: Session, merge: BookMerge, copy_ids: list[UUID], context: CustodyContext
) -> None:
    """Put the holds placed since the merge, whose copy has left their title, in their queue."""
    stranded = select(Hold).where(
        Hold.status == HoldStatus.READY,
        Hold.copy_id.in_(copy_ids),
        Hold.book_id == merge.into_id,
    )
    for hold in session.execute(stranded.with_for_update()).scalars().all():
        copy_id = hold.copy_id
        holds.requeue(session, hold)
        if copy_id is not None:
            custody.move(session, copy_id, CustodyTransition.END_HOLD, context)


def _locked_title(session: Session, book_id: UUID) -> Book:
    book = database.row_lock_or_none(session, Book, book_id)
    if book is None or book.withdrawn_at is not None:
        raise NotFound(BOOK_NOT_FOUND)
    return book


def _lock_copies(session: Session, book_id: UUID, only: list[UUID] | None = None) -> list[Copy]:
    statement = select(Copy).where(Copy.book_id == book_id)
    if only is not None:
        statement = statement.where(Copy.id.in_(only))
    locked = statement.order_by(Copy.id).with_for_update()
    return list(session.execute(locked.execution_options(populate_existing=True)).scalars())


def _move_copies(session: Session, copy_ids: list[UUID], book_id: UUID) -> None:
    session.execute(
        update(Copy)
        .where(Copy.id.in_(copy_ids))
        .values(book_id=book_id, version=Copy.version + 1)
        .execution_options(synchronize_session="fetch")
    )


def _move_holds(session: Session, book_id: UUID, into_id: UUID) -> list[UUID]:
    """Move open holds to the end of the other queue; return the ids of those moved.

    A member who waits for both titles keeps the hold that has a copy, else the one on the other
    title.
    """
    moved = []
    last = select(func.coalesce(func.max(Hold.sequence), 0)).where(Hold.book_id == into_id)
    waiting = (
        select(Hold)
        .where(Hold.book_id == book_id, Hold.status.in_(OPEN_HOLD_STATUSES))
        .order_by(Hold.sequence)
        .with_for_update()
    )
    for hold in session.execute(waiting).scalars().all():
        other = holds.open_hold(session, hold.user_id, into_id)
        if other is not None and hold.status is HoldStatus.QUEUED:
            holds.close(session, hold, HoldStatus.CANCELLED)
            continue
        if other is not None and other.status is HoldStatus.READY:
            raise Conflict("A member has a copy of both titles on the hold shelf.")
        if other is not None:
            holds.close(session, other, HoldStatus.CANCELLED)
        hold.sequence = session.execute(last).scalar_one() + 1
        hold.book_id = into_id
        session.flush()
        moved.append(hold.id)
    return moved
