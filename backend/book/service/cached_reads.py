"""Cached reads of the catalogue: the bytes to send, remembered until something changes."""

from datetime import timedelta
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection, func, select

from backend.book import queries
from backend.book.schemas.availability import Availability, CopyAvailability, ShelfCount
from backend.book.schemas.books import BookDetail, BookRead, CopySummary
from backend.book.search import search_query
from backend.shared.errors import NotFound
from backend.shared.infra import cache, database
from backend.shared.models import BookStatus
from backend.shared.web.pagination import PageQuery, page_of

_BOOK_LIFE = timedelta(minutes=10)
_SEARCH_LIFE = timedelta(minutes=15)
_BOOKS = TypeAdapter(list[BookRead])


async def books(question: search_query.SearchQuery, page: PageQuery) -> bytes:
    """`data` and `pagination` of a search, as JSON; 15 minutes or until the catalogue changes."""
    asked = f"{question.model_dump_json()} {page.model_dump_json()}"

    def make() -> bytes:
        with database.reading_engine().connect() as connection:
            return _read_page(connection, question, page)

    return await cache.remember_catalogue(
        lambda version: cache.search_key(asked, version), _SEARCH_LIFE, make
    )


async def book(book_id: UUID) -> tuple[int, bytes]:
    """Version and JSON of one title; 10 minutes or until it changes. NotFound is not kept."""

    def make() -> bytes:
        with database.reading_engine().connect() as connection:
            found = read_book(connection, book_id)
        return b"%d\n%b" % (found.version, found.model_dump_json().encode())

    kept = await cache.remember_catalogue(lambda _: cache.book_key(book_id), _BOOK_LIFE, make)
    version, _, body = kept.partition(b"\n")
    return int(version), body


def _read_page(
    connection: Connection, question: search_query.SearchQuery, page: PageQuery
) -> bytes:
    found = search_query.matching(question)
    counted = select(func.count()).select_from(found.subquery())
    statement = search_query.sorted_by(found, question, page).limit(page.limit).offset(page.offset)
    total = connection.execute(counted).scalar_one()
    rows = connection.execute(statement).all()
    answer = page_of([BookRead.model_validate(row) for row in rows], page, total)
    return b'%b,"pagination":%b' % (
        _BOOKS.dump_json(answer.data),
        answer.pagination.model_dump_json().encode(),
    )


def read_book(connection: Connection, book_id: UUID) -> BookDetail:
    """One title with its copies, as they are now."""
    row = connection.execute(queries.book(book_id)).mappings().one_or_none()
    if row is None:
        raise NotFound(queries.NO_BOOK)
    copies = connection.execute(queries.copies_with_loans(book_id)).all()
    summaries = [CopySummary.model_validate(copy) for copy in copies]
    return BookDetail.model_validate({**row, "copies": summaries})


def availability(connection: Connection, book_id: UUID) -> Availability:
    """Whether and where a title can be had, never from a cache."""
    row = connection.execute(queries.book(book_id)).one_or_none()
    if row is None:
        raise NotFound(queries.NO_BOOK)
    found = connection.execute(queries.copies_with_loans(book_id)).all()
    copies = [CopyAvailability.model_validate(copy) for copy in found]
    free = sum(copy.status is BookStatus.AVAILABLE for copy in copies)
    return Availability(
        book_id=book_id,
        available=free > 0,
        status=row.status,
        copies_total=len(copies),
        copies_available=free,
        copies=copies,
        shelves=_by_shelf(copies),
        next_due_at=min((copy.due_at for copy in copies if copy.due_at), default=None),
        holds_waiting=0,
    )


def _by_shelf(copies: list[CopyAvailability]) -> list[ShelfCount]:
    places = [(copy.shelf_location, copy.status) for copy in copies]
    return [
        ShelfCount(shelf_location=shelf, status=status, copies=places.count((shelf, status)))
        for shelf, status in dict.fromkeys(places)
    ]
