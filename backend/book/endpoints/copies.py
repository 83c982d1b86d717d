"""The copies of a title: barcode, shelf, call number, condition."""

from uuid import UUID

from fastapi import Response

from backend.book import dependencies, queries
from backend.book.schemas.copies import CopyCreate, CopyRead, CopyUpdate
from backend.book.service import copies
from backend.shared.errors import (
    BookInUse,
    Duplicate,
    IdempotencyKeyReused,
    NotFound,
    RoleNotAllowed,
    StaleVersion,
)
from backend.shared.models import Copy
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.routing import responses
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/books/{book_id}/copies", "copies")


@router.get("", summary="List the copies of a title", responses=responses(NotFound, RoleNotAllowed))
def list_copies(_: StaffDep, book_id: UUID, reader: ReadDep, page: PageDep) -> PageAnswer[CopyRead]:
    """Withdrawn copies too. Role: librarian, admin. Sort: barcode, created_at."""
    if reader.execute(queries.book(book_id)).one_or_none() is None:
        raise NotFound(queries.NO_BOOK)
    statement = ordered(
        queries.copies(book_id), page, queries.COPY_SORTS, default="barcode", tiebreak=Copy.id
    )
    return paginate(reader, statement, page, CopyRead)


@router.post(
    "",
    summary="Add a copy",
    status_code=201,
    response_model=Answer[CopyRead],
    responses=responses(NotFound, Duplicate, IdempotencyKeyReused, RoleNotAllowed),
)
def create_copy(
    actor: StaffDep, book_id: UUID, given: CopyCreate, session: SessionDep, once: IdempotencyDep
) -> Response:
    """Role: librarian, admin."""
    return once.answer(
        lambda: CopyRead.model_validate(
            copies.add_copy(session, actor.id, dependencies.book(session, book_id), given)
        ),
        location=lambda copy: f"/api/v1/books/{book_id}/copies/{copy.id}",
    )


@router.put(
    "/{copy_id}",
    summary="Change a copy",
    responses=responses(NotFound, BookInUse, Duplicate, StaleVersion, RoleNotAllowed),
)
def update_copy(  # noqa: PLR0913, PLR0917 (path, body, header and who: each is a parameter in FastAPI)
    actor: StaffDep,
    book_id: UUID,
    copy_id: UUID,
    given: CopyUpdate,
    session: SessionDep,
    response: Response,
    if_match: etags.IfMatch = None,
) -> Answer[CopyRead]:
    """What people decide: never where it is or who has it. Role: librarian, admin."""
    copy = dependencies.copy(session, book_id, copy_id)
    etags.check(if_match, etags.etag(copy.version))
    changed = copies.update_copy(session, actor.id, copy, given)
    response.headers["ETag"] = etags.etag(changed.version)
    return answer(CopyRead.model_validate(changed))


@router.delete(
    "/{copy_id}",
    summary="Withdraw a copy",
    responses=responses(NotFound, BookInUse, RoleNotAllowed),
)
def delete_copy(actor: StaffDep, book_id: UUID, copy_id: UUID, session: SessionDep) -> Answer[None]:
    """It stays in the list of copies as WITHDRAWN. Role: librarian, admin."""
    copies.withdraw_copy(session, actor.id, dependencies.copy(session, book_id, copy_id))
    return answer(None)
