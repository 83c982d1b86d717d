"""Endpoints of copies: `/api/v1/books/{book_id}/copies`."""

from uuid import UUID

from fastapi import Response

from backend.book import dependencies, queries
from backend.book.schemas.copies import CopyCreate, CopyRead, CopyUpdate, ShelveBody
from backend.book.service import copies
from backend.book.service.books import BOOK_NOT_FOUND
from backend.shared.errors import (
    BookInUse,
    Duplicate,
    IdempotencyKeyReused,
    InvalidStateTransition,
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


@router.get("", summary="List copies of a book", responses=responses(NotFound, RoleNotAllowed))
def list_copies(_: StaffDep, book_id: UUID, reader: ReadDep, page: PageDep) -> PageAnswer[CopyRead]:
    """Return all copies, also withdrawn ones. Role: librarian, admin. Sort: barcode, created_at."""
    if reader.execute(queries.book_status(book_id)).one_or_none() is None:
        raise NotFound(BOOK_NOT_FOUND)
    statement = ordered(
        queries.copies(book_id), page, queries.COPY_SORTS, default="barcode", tiebreak=Copy.id
    )
    return paginate(reader, statement, page, CopyRead)


@router.post(
    "",
    summary="Create a copy",
    status_code=201,
    response_model=Answer[CopyRead],
    responses=responses(NotFound, Duplicate, IdempotencyKeyReused, RoleNotAllowed),
)
def create_copy(
    actor: StaffDep,
    book_id: UUID,
    body: CopyCreate,
    session: SessionDep,
    idempotency: IdempotencyDep,
) -> Response:
    """Add a copy to a title. Role: librarian, admin."""
    return idempotency.answer(
        lambda: CopyRead.model_validate(
            copies.create(session, actor.id, dependencies.locked_book(session, book_id), body)
        ),
        location=lambda copy: f"/api/v1/books/{book_id}/copies/{copy.id}",
    )


@router.get("/{copy_id}", summary="Get a copy", responses=responses(NotFound, RoleNotAllowed))
def get_copy(
    _: StaffDep, book_id: UUID, copy_id: UUID, reader: ReadDep, response: Response
) -> Answer[CopyRead]:
    """Return one copy, also a withdrawn one, with its `ETag`. Role: librarian, admin."""
    row = reader.execute(queries.copies(book_id).where(Copy.id == copy_id)).one_or_none()
    if row is None:
        raise NotFound(dependencies.COPY_NOT_FOUND)
    response.headers["ETag"] = etags.etag(row.version)
    return answer(CopyRead.model_validate(row))


@router.put(
    "/{copy_id}/shelve",
    summary="Shelve a copy",
    response_model=Answer[CopyRead],
    responses=responses(
        *(NotFound, InvalidStateTransition, StaleVersion, RoleNotAllowed, IdempotencyKeyReused)
    ),
)
def shelve_copy(  # noqa: PLR0913, PLR0917 (path, body, headers and actor: each is a parameter in FastAPI)
    actor: StaffDep,
    book_id: UUID,
    copy_id: UUID,
    session: SessionDep,
    idempotency: IdempotencyDep,
    body: ShelveBody | None = None,
    if_match: etags.IfMatch = None,
) -> Response:
    """Put a copy that is at a desk, missing or lost on its shelf. Role: librarian, admin."""

    def shelve() -> CopyRead:
        copy = dependencies.locked_copy(session, book_id, copy_id)
        etags.check(if_match, copy.version)
        copies.shelve(session, actor.id, copy, body.shelf_location if body else None)
        return CopyRead.model_validate(copy)

    return etags.tag_version(idempotency.answer(shelve, status=200))


@router.put(
    "/{copy_id}",
    summary="Update a copy",
    responses=responses(NotFound, BookInUse, Duplicate, StaleVersion, RoleNotAllowed),
)
def update_copy(  # noqa: PLR0913, PLR0917 (path, body, header and actor: each is a parameter in FastAPI)
    actor: StaffDep,
    book_id: UUID,
    copy_id: UUID,
    body: CopyUpdate,
    session: SessionDep,
    response: Response,
    if_match: etags.IfMatch = None,
) -> Answer[CopyRead]:
    """Change the fields that are sent; custody is not among them. Role: librarian, admin."""
    copy = dependencies.locked_copy(session, book_id, copy_id)
    etags.check(if_match, copy.version)
    copies.update(session, actor.id, copy, body)
    response.headers["ETag"] = etags.etag(copy.version)
    return answer(CopyRead.model_validate(copy))


@router.delete(
    "/{copy_id}",
    summary="Withdraw a copy",
    responses=responses(NotFound, BookInUse, StaleVersion, RoleNotAllowed),
)
def delete_copy(
    actor: StaffDep,
    book_id: UUID,
    copy_id: UUID,
    session: SessionDep,
    if_match: etags.IfMatch = None,
) -> Answer[None]:
    """Withdraw a copy; the list of copies keeps it as WITHDRAWN. Role: librarian, admin."""
    copy = dependencies.locked_copy(session, book_id, copy_id)
    etags.check(if_match, copy.version)
    copies.withdraw(session, actor.id, copy)
    return answer(None)
