"""Apply, audit and flush changes of titles and copies, and invalidate their caches."""

from typing import Any
from uuid import UUID

from psycopg2.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.shared.domain import audit
from backend.shared.errors import LunaError
from backend.shared.infra import cache, commit_hooks, database
from backend.shared.models import Book, Copy

Changes = dict[str, dict[str, Any]]


def apply(row: Book | Copy, values: dict[str, Any]) -> Changes:
    """Set the values that differ; return each with its value before and after."""
    changes = {
        name: {"before": getattr(row, name), "after": value}
        for name, value in values.items()
        if getattr(row, name) != value
    }
    for name, change in changes.items():
        setattr(row, name, change["after"])
    return changes


def flush(session: Session, conflict: LunaError) -> None:
    """Write pending rows; raise `conflict` when a unique index refuses them."""
    try:
        session.flush()
    except IntegrityError as error:
        if isinstance(error.orig, UniqueViolation):
            raise conflict from error
        raise


def record(
    session: Session, actor_id: UUID, action: str, row: Book | Copy, changes: Changes
) -> None:
    """Audit a change and invalidate the cached reads of its title."""
    kind, book_id = ("book", row.id) if isinstance(row, Book) else ("copy", row.book_id)
    audit.record(
        session,
        actor_id=actor_id,
        action=action,
        resource=(kind, row.id),
        changes={name: _as_json(change) for name, change in changes.items()},
    )
    invalidate(session, book_id)


def invalidate(session: Session, book_id: UUID) -> None:
    """Delete the cached title and all cached searches at commit."""
    database.on_commit(session, commit_hooks.Delete(cache.book_key(book_id)))
    database.on_commit(session, commit_hooks.Increment(cache.CATALOGUE_VERSION))


def _as_json(change: dict[str, Any]) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, UUID) else value for name, value in change.items()
    }
