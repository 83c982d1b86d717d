"""Take a finished import back, title by title, where nothing has happened since."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.book.imports.jobs import JOB_NOT_FOUND
from backend.book.service import books, changes
from backend.shared.domain import audit
from backend.shared.errors import BookInUse, InvalidStateTransition, NotFound
from backend.shared.infra import clock, database
from backend.shared.models import Book, ImportJob, ImportState, ImportTitle

_FINISHED = (ImportState.SUCCEEDED, ImportState.FAILED, ImportState.CANCELLED)


def undo(session: Session, actor_id: UUID, job_id: UUID) -> list[UUID]:
    """Withdraw created titles and restore changed ones; return those that stay as they are.

    A title stays when it was changed since or a copy of it is in use. Idempotent.
    """
    job = database.row_lock_or_none(session, ImportJob, job_id)
    if job is None:
        raise NotFound(JOB_NOT_FOUND)
    if job.state not in _FINISHED or job.dry_run:
        raise InvalidStateTransition(current=job.state.value, requested="UNDO", allowed=[])
    titles = session.execute(
        select(ImportTitle)
        .where(ImportTitle.job_id == job_id)
        .where(ImportTitle.is_created | ImportTitle.before.is_not(None))
        .order_by(ImportTitle.book_id)
    ).scalars()
    if job.undone_at is not None:
        return [title.book_id for title in titles]
    kept = [title.book_id for title in titles.all() if not _undo_title(session, actor_id, title)]
    job.undone_at = clock.now()
    audit.record(
        session,
        actor_id=actor_id,
        action="book.import_undo",
        resource=("import_job", job.id),
        changes={"kept": len(kept)},
    )
    return kept


def _undo_title(session: Session, actor_id: UUID, title: ImportTitle) -> bool:
    """Take one title back and forget it; False when it stays."""
    if title.is_created:
        version = session.execute(
            select(Book.version).where(Book.id == title.book_id, Book.withdrawn_at.is_(None))
        ).scalar_one_or_none()
        if version != title.version:
            return False
        try:
            books.withdraw(session, actor_id, title.book_id)
        except BookInUse:
            return False
    elif not _restore(session, actor_id, title):
        return False
    session.delete(title)
    return True


def _restore(session: Session, actor_id: UUID, title: ImportTitle) -> bool:
    book = database.row_lock_or_none(session, Book, title.book_id)
    if book is None or book.withdrawn_at is not None or book.version != title.version:
        return False
    changed = changes.apply(book, title.before or {})
    session.flush()
    changes.record(session, actor_id, "book.import_undo", book, changed)
    return True
