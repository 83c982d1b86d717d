"""Endpoints of titles: `/api/v1/books`."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from backend.book import dependencies
from backend.book.dependencies import SearchQueryDep
from backend.book.imports import export
from backend.book.imports.export import ExportFormat
from backend.book.schemas.availability import Availability
from backend.book.schemas.books import BookCreate, BookDetail, BookUpdate
from backend.book.schemas.search import SearchAnswer
from backend.book.search.suggestions import Suggestion
from backend.book.service import availability, books, cached_reads
from backend.shared.errors import (
    BookInUse,
    IdempotencyKeyReused,
    IsbnTaken,
    NotFound,
    PageTooDeep,
    RoleNotAllowed,
    StaleVersion,
)
from backend.shared.infra import database
from backend.shared.web import etags, routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer, answer, json_response
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.pagination import PageDep
from backend.shared.web.routing import responses
from backend.shared.web.schemas import PlainText
from backend.shared.web.security.authentication import AnyoneDep, StaffDep

router = routing.router("/books", "books")
_EXPORT: dict[str, Any] = {
    media_type.partition(";")[0]: {"schema": {"type": "string"}}
    for media_type, _ in export.MEDIA_TYPES.values()
}
_EXPORT["text/csv"]["example"] = (
    "isbn,title,author\r\n978-0-201-83595-3,The Mythical Man-Month,F. P. Brooks\r\n"
)


@router.get(
    "",
    summary="List books",
    response_model=SearchAnswer,
    responses=responses(PageTooDeep),
)
async def list_books(_: AnyoneDep, query: SearchQueryDep, page: PageDep) -> Response:
    """Search the catalogue, best match first. Role: anyone signed in.

    All words must match; the last may be a prefix. Accents and punctuation are ignored. Misspelt
    and joined words are corrected when nothing matches them; `did_you_mean` is then the corrected
    text, and `exact=true` refuses it. Sort: relevance, title, author, publication_year, created_at.
    """
    return json_response(await cached_reads.search(query, page))


@router.get(
    "/suggest",
    summary="List search suggestions",
    response_model=Answer[list[Suggestion]],
)
async def list_suggestions(
    _: AnyoneDep,
    q: Annotated[PlainText, Query(max_length=300, examples=["hung"])],
    limit: Annotated[int, Query(ge=1, le=20)] = 10,
) -> Response:
    """Complete a title, author or subject while it is being typed. Role: anyone signed in."""
    return json_response(await cached_reads.suggestions(q, limit))


@router.get(
    "/export",
    summary="Export books",
    response_class=StreamingResponse,
    responses={**responses(RoleNotAllowed), 200: {"content": _EXPORT}},
)
def export_books(
    _: StaffDep, file_format: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.CSV
) -> StreamingResponse:
    """Stream all titles as a file that can be imported again. Role: librarian, admin."""
    media_type, suffix = export.MEDIA_TYPES[file_format]
    headers = {"Content-Disposition": f'attachment; filename="books.{suffix}"'}
    chunks = export.chunks(lambda: database.reading_engine().connect(), file_format)
    return StreamingResponse(chunks, media_type=media_type, headers=headers)


@router.get(
    "/{book_id}",
    summary="Get a book",
    response_model=Answer[BookDetail],
    responses=responses(NotFound),
)
async def get_book(
    actor: AnyoneDep,
    book_id: UUID,
    actions: Annotated[bool, Query(description="Say what the caller can do now")] = False,  # noqa: FBT002 (a query parameter)
) -> Response:
    """Return a title with its copies, and an `ETag` for `If-Match`. Role: anyone signed in."""
    version, body = await cached_reads.book(book_id)
    if actions:  # the last field, null in the cache: it differs by caller
        body = b"%b%b}" % (
            body.removesuffix(b"null}"),
            await availability.read_actions(actor.id, book_id),
        )
    return json_response(body, ETag=etags.etag(version))


@router.get(
    "/{book_id}/availability",
    summary="Get the availability of a book",
    response_model=Answer[Availability],
    responses=responses(NotFound),
)
async def get_availability(_: AnyoneDep, book_id: UUID) -> Response:
    """Return which copies are available and where, never cached. Role: anyone signed in."""
    return json_response(await availability.read(book_id))


@router.post(
    "",
    summary="Create a book",
    status_code=201,
    response_model=Answer[BookDetail],
    responses=responses(IsbnTaken, IdempotencyKeyReused, RoleNotAllowed),
)
def create_book(
    actor: StaffDep, body: BookCreate, session: SessionDep, idempotency: IdempotencyDep
) -> Response:
    """Create a title with its copies. An ISBN-10 is stored as ISBN-13. Role: librarian, admin."""
    return idempotency.answer(
        lambda: cached_reads.read_book(
            session.connection(), books.create(session, actor.id, body).id
        ),
        location=lambda book: f"/api/v1/books/{book.id}",
    )


@router.put(
    "/{book_id}",
    summary="Update a book",
    response_model=Answer[BookDetail],
    responses=responses(NotFound, IsbnTaken, StaleVersion, RoleNotAllowed),
)
def update_book(
    actor: StaffDep,
    book_id: UUID,
    body: BookUpdate,
    session: SessionDep,
    if_match: etags.IfMatch = None,
) -> Response:
    """Change the fields that are sent. Role: librarian, admin."""
    book = dependencies.locked_book(session, book_id)
    etags.check(if_match, book.version)
    books.update(session, actor.id, book, body)
    detail = cached_reads.read_book(session.connection(), book_id)
    return json_response(detail, ETag=etags.etag(detail.version))


@router.delete(
    "/{book_id}",
    summary="Withdraw a book",
    responses=responses(NotFound, BookInUse, StaleVersion, RoleNotAllowed),
)
def delete_book(
    actor: StaffDep, book_id: UUID, session: SessionDep, if_match: etags.IfMatch = None
) -> Answer[None]:
    """Withdraw a title and its copies; their history stays. Role: librarian, admin."""
    if if_match is not None:
        etags.check(if_match, books.lock_with_copies(session, book_id)[0].version)
    books.withdraw(session, actor.id, book_id)
    return answer(None)
