"""Endpoints of merges: `/api/v1/books/{book_id}/merge`, `/api/v1/books/merges/{merge_id}`."""

from uuid import UUID

from fastapi import Response

from backend.book.schemas.books import MergeBody, MergeRead
from backend.book.service import merges
from backend.shared.errors import (
    BookInUse,
    Conflict,
    IdempotencyKeyReused,
    IsbnTaken,
    NotFound,
    RoleNotAllowed,
)
from backend.shared.web import routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.routing import responses
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/books", "books")


@router.post(
    "/{book_id}/merge",
    summary="Merge a duplicate book",
    status_code=201,
    response_model=Answer[MergeRead],
    responses=responses(NotFound, BookInUse, Conflict, IdempotencyKeyReused, RoleNotAllowed),
)
def merge_book(
    actor: StaffDep,
    book_id: UUID,
    body: MergeBody,
    session: SessionDep,
    idempotency: IdempotencyDep,
) -> Response:
    """Move copies and holds to another book; the old id leads to it. Role: librarian, admin."""
    return idempotency.answer(
        lambda: MergeRead.model_validate(merges.merge(session, actor.id, book_id, body.into)),
        location=lambda merge: f"/api/v1/books/{merge.into_id}",
    )


@router.delete(
    "/merges/{merge_id}",
    summary="Undo a merge",
    responses=responses(NotFound, Conflict, IsbnTaken, RoleNotAllowed),
)
def undo_merge(actor: StaffDep, merge_id: UUID, session: SessionDep) -> Answer[None]:
    """Restore the duplicate with its copies and open holds. Role: librarian, admin."""
    merges.undo(session, actor.id, merge_id)
    return answer(None)
