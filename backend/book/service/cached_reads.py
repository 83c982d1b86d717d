"""Cached reads of the catalogue: response bytes, cached until the catalogue changes."""

from datetime import timedelta
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection, func, select

from backend.book import queries
from backend.book.schemas.books import BookDetail, BookRead
from backend.book.schemas.copies import CopySummary
from backend.book.search import search_query
from backend.book.service.books import BOOK_NOT_FOUND
from backend.shared.errors import NotFound
from backend.shared.infra import cache, database
from backend.shared.web.pagination import PageQuery, page_of

_BOOK_TTL = timedelta(minutes=10)
_SEARCH_TTL = timedelta(minutes=15)
_BOOKS = TypeAdapter(list[BookRead])


async def search(query: search_query.SearchQuery, page: PageQuery) -> bytes:
    """Return `data` and `pagination` of a search as JSON."""
    parameters = f"{query.model_dump_json()} {page.model_dump_json()}"

    def load() -> bytes:
        with database.reading_engine().connect() as connection:
            return _search_page(connection, query, page)

    return await cache.get_or_create(
        lambda version: cache.search_key(parameters, version), _SEARCH_TTL, load
    )


async def book(book_id: UUID) -> tuple[int, bytes]:
    """Return version and JSON of a title; NotFound, which is not cached, if there is none."""

    def load() -> bytes:
        with database.reading_engine().connect() as connection:
            detail = read_book(connection, book_id)
        return b"%d\n%b" % (detail.version, detail.model_dump_json().encode())

    cached = await cache.get_or_create(lambda _: cache.book_key(book_id), _BOOK_TTL, load)
    version, _, body = cached.partition(b"\n")
    return int(version), body


def _search_page(connection: Connection, query: search_query.SearchQuery, page: PageQuery) -> bytes:
    matches = search_query.select_matches(query)
    count = select(func.count()).select_from(matches.subquery())
    statement = search_query.sort(matches, query, page).limit(page.limit).offset(page.offset)
    total = connection.execute(count).scalar_one()
    rows = connection.execute(statement).all()
    result = page_of([BookRead.model_validate(row) for row in rows], page, total)
    return b'%b,"pagination":%b' % (
        _BOOKS.dump_json(result.data),
        result.pagination.model_dump_json().encode(),
    )


def read_book(connection: Connection, book_id: UUID) -> BookDetail:
    """Read a title with its copies from the database."""
    row = connection.execute(queries.book(book_id)).mappings().one_or_none()
    if row is None:
        raise NotFound(BOOK_NOT_FOUND)
    copies = connection.execute(queries.copies_with_loans(book_id)).all()
    summaries = [CopySummary.model_validate(copy) for copy in copies]
    return BookDetail.model_validate({**row, "copies": summaries})
