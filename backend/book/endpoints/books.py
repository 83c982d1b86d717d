"""Titles: search, read, add, change, withdraw."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response

from backend.book import dependencies
from backend.book.schemas import field_types
from backend.book.schemas.availability import Availability
from backend.book.schemas.books import BookCreate, BookDetail, BookRead, BookUpdate
from backend.book.search import search_query
from backend.book.service import books, cached_reads
from backend.shared.errors import (
    BookInUse,
    IdempotencyKeyReused,
    IsbnTaken,
    NotFound,
    PageTooDeep,
    RoleNotAllowed,
    StaleVersion,
)
from backend.shared.models import BookStatus
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer, envelope
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.pagination import PageDep
from backend.shared.web.routing import responses
from backend.shared.web.schemas import PlainText
from backend.shared.web.security.authentication import AnyoneDep, StaffDep

router = routing.router("/books", "books")
_Text = Annotated[PlainText | None, Query(max_length=300)]
_YearQuery = Annotated[int | None, Query(ge=field_types.EARLIEST_YEAR, le=field_types.LATEST_YEAR)]


def _question(  # noqa: PLR0913, PLR0917 (one parameter a filter, as the contract lists them)
    q: Annotated[
        PlainText | None,
        Query(
            max_length=300,
            description="Words of title, author, subjects, publisher, or an ISBN",
            examples=["hunger games collins", "978-0-439-02348-1"],
        ),
    ] = None,
    status: Annotated[BookStatus | None, Query()] = None,
    author: _Text = None,
    publisher: _Text = None,
    subject: _Text = None,
    language: _Text = None,
    year_from: _YearQuery = None,
    year_to: _YearQuery = None,
    isbn: _Text = None,
    available: Annotated[bool | None, Query(description="A copy is on the shelf now")] = None,
) -> search_query.SearchQuery:
    return search_query.SearchQuery(
        q=q or None,
        status=status,
        author=author or None,
        publisher=publisher or None,
        subject=subject or None,
        language=language or None,
        year_from=year_from,
        year_to=year_to,
        isbn=isbn or None,
        available=available,
    )


QuestionDep = Annotated[search_query.SearchQuery, Depends(_question)]


@router.get(
    "",
    summary="Search the catalogue, best first",
    response_model=PageAnswer[BookRead],
    responses=responses(PageTooDeep),
)
async def search_books(_: AnyoneDep, question: QuestionDep, page: PageDep) -> Response:
    """All words must occur; the last may be a beginning. Accents and punctuation do not matter.

    Role: anyone signed in. Sort: relevance, title, author, publication_year, created_at.
    """
    return _json(envelope(await cached_reads.books(question, page)))


@router.get(
    "/{book_id}",
    summary="Read one title with its copies",
    response_model=Answer[BookDetail],
    responses=responses(NotFound),
)
async def read_book(_: AnyoneDep, book_id: UUID) -> Response:
    """The `ETag` is what `If-Match` of a change wants. Role: anyone signed in."""
    version, body = await cached_reads.book(book_id)
    return _json(envelope(body), ETag=etags.etag(version))


@router.get(
    "/{book_id}/availability",
    summary="Tell whether and where a title can be had now",
    responses=responses(NotFound),
)
def read_availability(_: AnyoneDep, book_id: UUID, reader: ReadDep) -> Answer[Availability]:
    """Counted from the copies at this moment. Role: anyone signed in."""
    return answer(cached_reads.availability(reader, book_id))


@router.post(
    "",
    summary="Add a title with its copies",
    status_code=201,
    response_model=Answer[BookDetail],
    responses=responses(IsbnTaken, IdempotencyKeyReused, RoleNotAllowed),
)
def create_book(
    actor: StaffDep, given: BookCreate, session: SessionDep, once: IdempotencyDep
) -> Response:
    """An ISBN-10 or -13 is checked and kept as ISBN-13. Role: librarian, admin."""
    return once.answer(
        lambda: cached_reads.read_book(
            session.connection(), books.create(session, actor.id, given).id
        ),
        location=lambda book: f"/api/v1/books/{book.id}",
    )


@router.put(
    "/{book_id}",
    summary="Change a title",
    response_model=Answer[BookDetail],
    responses=responses(NotFound, IsbnTaken, StaleVersion, RoleNotAllowed),
)
def update_book(
    actor: StaffDep,
    book_id: UUID,
    given: BookUpdate,
    session: SessionDep,
    if_match: etags.IfMatch = None,
) -> Response:
    """Only the fields that are sent change. Role: librarian, admin."""
    book = dependencies.book(session, book_id)
    etags.check(if_match, etags.etag(book.version))
    books.update(session, actor.id, book, given)
    read = cached_reads.read_book(session.connection(), book_id)
    return _json(answer(read).model_dump_json().encode(), ETag=etags.etag(read.version))


@router.delete(
    "/{book_id}",
    summary="Withdraw a title and its copies",
    responses=responses(NotFound, BookInUse, RoleNotAllowed),
)
def delete_book(actor: StaffDep, book_id: UUID, session: SessionDep) -> Answer[None]:
    """Its history stays. Role: librarian, admin."""
    books.withdraw(session, actor.id, book_id)
    return answer(None)


def _json(body: bytes, **headers: str) -> Response:
    return Response(body, headers=headers, media_type="application/json")
