"""Cached reads of the catalogue: response bytes, cached until the catalogue changes."""

from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import Connection, bindparam, select

from backend.book import queries
from backend.book.schemas.books import BookDetail, BookRead
from backend.book.schemas.copies import CopySummary
from backend.book.schemas.search import BookFound
from backend.book.search import match_fields, result_page
from backend.book.search import suggestions as suggestion_search
from backend.book.search.search_query import SearchQuery
from backend.book.service.books import BOOK_NOT_FOUND
from backend.shared.errors import NotFound
from backend.shared.infra import cache, database
from backend.shared.infra.hot_reads import HotRead
from backend.shared.models import Book
from backend.shared.web.pagination import PageQuery, page_of

_BOOK_TTL = timedelta(minutes=10)
_SEARCH_TTL = timedelta(minutes=15)
_BOOKS = TypeAdapter(list[BookFound])
_MERGED_INTO = HotRead(
    select(Book.merged_into_id).where(
        Book.id == bindparam("book_id"), Book.merged_into_id.is_not(None)
    )
)


async def search(query: SearchQuery, page: PageQuery) -> bytes:
    """Return `data`, `pagination`, `did_you_mean` and `facets` of a search as JSON."""

    def load() -> bytes:
        with database.reading_engine().connect() as connection:
            return _search_page(connection, query, page)

    return await cache.get_or_create(
        _search_key(query, page), _SEARCH_TTL, load, until_any_change=True
    )


@lru_cache(maxsize=1000)
def _search_key(query: SearchQuery, page: PageQuery) -> str:
    return cache.search_key(f"{query.model_dump_json()} {page.model_dump_json()}")


async def book(book_id: UUID) -> tuple[int, bytes]:
    """Return version and JSON of a title; NotFound, which is not cached, if there is none."""

    def load() -> bytes:
        with database.reading_engine().connect() as connection:
            detail = read_book(connection, book_id)
        return b"%d\n%b" % (detail.version, detail.model_dump_json().encode())

    try:
        cached = await cache.get_or_create(cache.book_key(book_id), _BOOK_TTL, load)
    except NotFound:
        into = await _MERGED_INTO.scalar(book_id=book_id)
        if into is None:
            raise
        number, followed = await book(into)
        return number, followed.replace(
            b'"merged_into":null', b'"merged_into":"%b"' % str(into).encode(), 1
        )
    version, _, body = cached.partition(b"\n")
    return int(version), body


def _search_page(connection: Connection, query: SearchQuery, page: PageQuery) -> bytes:
    result = result_page.read(connection, query, page)
    found = result.found
    books = [
        BookFound(
            **BookRead.model_validate(row).model_dump(),
            match=match_fields.of(row, found) if found else [],
        )
        for row in result.rows
    ]
    listed = page_of(books, page, result.total, result.rows)
    did_you_mean = found.did_you_mean if found else None
    parts = [
        b'%b,"pagination":%b'
        % (
            _BOOKS.dump_json(books),
            listed.pagination.model_dump_json().encode(),
        ),
        b'"did_you_mean":' + to_json(did_you_mean),
    ]
    if result.facets is not None:
        parts.append(b'"facets":' + to_json(result.facets))
    return b",".join(parts)


async def suggestions(typed: str, most: int) -> bytes:
    """Return completions as JSON."""

    def load() -> bytes:
        with database.reading_engine().connect() as connection:
            return to_json(suggestion_search.find(connection, typed, most))

    parameters = f"suggest {most} {typed}"
    return await cache.get_or_create(
        cache.search_key(parameters), _SEARCH_TTL, load, until_any_change=True
    )


def read_book(connection: Connection, book_id: UUID) -> BookDetail:
    """Read a title with its copies from the database."""
    row = connection.execute(queries.book(book_id)).mappings().one_or_none()
    if row is None:
        raise NotFound(BOOK_NOT_FOUND)
    copies = connection.execute(queries.copies_with_loans(book_id)).all()
    summaries = [CopySummary.model_validate(copy) for copy in copies]
    return BookDetail.model_validate({**row, "copies": summaries})
