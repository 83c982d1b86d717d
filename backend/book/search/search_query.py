"""Search parameters of the catalogue and their statement, ranked by relevance.

Every word must match title, author, subjects, publisher or ISBN; the last may be a prefix.
PostgreSQL's own parser splits the words, so no input is a syntax error.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from pydantic import BaseModel
from sqlalchemy import (
    REAL,
    ColumnElement,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY

from backend.book import queries
from backend.book.schemas import isbn
from backend.shared.errors import invalid
from backend.shared.models import Book, BookStatus
from backend.shared.web.pagination import AnySelect, Order, PageQuery

_SORTS: dict[str, ColumnElement[Any]] = {
    "title": func.lower(Book.title),
    "author": func.lower(Book.author),
    "publication_year": Book.publication_year.expression,
    "created_at": Book.created_at.expression,
}
RELEVANCE = "relevance"
# Weight of a match in: publisher, subjects and subtitle, author, title.
_WEIGHTS = [0.05, 0.2, 0.5, 1.0]
_EXACT_TITLE, _EXACT_MAIN_TITLE, _TITLE_PREFIX = 3.0, 2.5, 1.2
_NORMALIZE_BY_LENGTH = 1  # ts_rank_cd divides by 1 + log(length): short titles rank higher

_NOT_AVAILABLE = [status for status in BookStatus if status is not BookStatus.AVAILABLE]
_COLUMN_FILTERS: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "status": lambda status: Book.status == status,
    "language": lambda language: Book.language == language,
    "year_from": lambda year: Book.publication_year >= year,
    "year_to": lambda year: Book.publication_year <= year,
    # An invalid ISBN is compared as it is and matches nothing.
    "isbn": lambda text: Book.isbn == (isbn.normalize(text) or text),
    "available": lambda available: (
        Book.status == BookStatus.AVAILABLE if available else Book.status.in_(_NOT_AVAILABLE)
    ),
}


class Label(StrEnum):
    """Weight labels of the parts of a title in its search index."""

    AUTHOR = "B"
    SUBJECT = "C"
    PUBLISHER = "D"


class SearchQuery(BaseModel):
    """Search parameters; all that are given must match."""

    q: str | None = None
    status: BookStatus | None = None
    author: str | None = None
    publisher: str | None = None
    subject: str | None = None
    language: str | None = None
    year_from: int | None = None
    year_to: int | None = None
    isbn: str | None = None
    available: bool | None = None


def select_matches(query: SearchQuery) -> AnySelect:
    """Select the titles that match, unsorted."""
    conditions = [*_column_conditions(query), *_text_conditions(query)]
    return select(*queries.BOOK_COLUMNS).where(Book.withdrawn_at.is_(None), *conditions)


def sort(statement: AnySelect, query: SearchQuery, page: PageQuery) -> AnySelect:
    """Sort as `page` says; by default by relevance to `q`, without `q` newest first."""
    name = page.sort or (RELEVANCE if query.q else "created_at")
    if name == RELEVANCE and query.q:
        best_first = page.order is not Order.ASC or page.sort is None
        rank = _rank(query.q)
        return statement.order_by(rank.desc() if best_first else rank.asc(), Book.id)
    if name != RELEVANCE and name not in _SORTS:
        raise invalid("sort", f"must be one of: {RELEVANCE}, {', '.join(_SORTS)}")
    column = _SORTS.get(name, _SORTS["created_at"])
    newest_first = name == RELEVANCE or page.sort is None
    descending = page.order is Order.DESC or (page.order is None and newest_first)
    if not descending:
        return statement.order_by(column, Book.id)
    # NULLS LAST only where a value may be absent: for the others no index would have this order.
    first = column.desc().nulls_last() if name == "publication_year" else column.desc()
    return statement.order_by(first, Book.id.desc())


def _column_conditions(query: SearchQuery) -> list[ColumnElement[bool]]:
    return [
        condition(getattr(query, name))
        for name, condition in _COLUMN_FILTERS.items()
        if getattr(query, name) is not None
    ]


def _text_conditions(query: SearchQuery) -> list[ColumnElement[bool]]:
    conditions = []
    if query.q:
        words_match = _matches(_ts_query(query.q))
        number = isbn.normalize(query.q)
        same_isbn = Book.isbn == number
        conditions.append(words_match if number is None else or_(same_isbn, words_match))
    if query.author:
        conditions.append(_matches(_ts_query(query.author, Label.AUTHOR)))
    if query.publisher:
        conditions.append(_matches(_ts_query(query.publisher, Label.PUBLISHER)))
    if query.subject:
        conditions.append(_has_subject(query.subject))
    return conditions


def _words(text: str) -> ColumnElement[str]:
    return func.words_of(literal(text))


def _ts_query(text: str, label: Label | None = None) -> ColumnElement[Any]:
    """Match all words, the last as a prefix, within the part of a title that `label` names.

    PostgreSQL quotes the words; labels follow its quotes. Null, which matches nothing, without a
    word.
    """
    suffix = label.value if label else ""
    quoted = func.nullif(cast(func.plainto_tsquery("simple", _words(text)), Text), "")
    if suffix:
        quoted = func.replace(quoted, "' & '", f"':{suffix} & '")
    return cast(func.regexp_replace(quoted, "'$", f"':*{suffix}"), TSQUERY)


def _matches(query: ColumnElement[Any]) -> ColumnElement[bool]:
    return Book.search.bool_op("@@")(query)


def _has_subject(subject: str) -> ColumnElement[bool]:
    """Match a whole subject in any case; its words narrow the rows through the index."""
    each = func.unnest(Book.subjects).column_valued("each")
    same = select(literal(1)).where(func.lower(each) == subject.lower()).exists()
    return and_(_matches(_ts_query(subject, Label.SUBJECT)), same)


def _rank(text: str) -> ColumnElement[Any]:
    words, title = _words(text), func.words_of(Book.title)
    main_title = func.words_of(func.regexp_replace(Book.title, "[(:].*", ""))
    weights = cast(_WEIGHTS, ARRAY(REAL))
    text_rank = func.ts_rank_cd(weights, Book.search, _ts_query(text), _NORMALIZE_BY_LENGTH)
    title_rank = case(
        (Book.isbn == literal(isbn.normalize(text), Text), _EXACT_TITLE),
        (~func.starts_with(title, words), 0.0),  # cheapest test first: true for most rows
        (title == words, _EXACT_TITLE),
        (main_title == words, _EXACT_MAIN_TITLE),
        else_=_TITLE_PREFIX,
    )
    return func.coalesce(text_rank, 0.0) + title_rank
