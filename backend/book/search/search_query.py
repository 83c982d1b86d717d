"""A question to the catalogue and the select that answers it, best first.

Every word must occur in title, author, subjects, publisher or ISBN; the last may be the beginning
of one. PostgreSQL's own parser takes the words apart, so nothing a person types is a bad query.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from pydantic import BaseModel
from sqlalchemy import (
    REAL,
    ColumnElement,
    Select,
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
from backend.shared.web.pagination import Order, PageQuery

_SORTS: dict[str, ColumnElement[Any]] = {
    "title": func.lower(Book.title),
    "author": func.lower(Book.author),
    "publication_year": Book.publication_year.expression,
    "created_at": Book.created_at.expression,
}
RELEVANCE = "relevance"
# How much a hit counts by where it is: publisher, subjects and subtitle, author, title.
_WEIGHTS = [0.05, 0.2, 0.5, 1.0]
_EXACT, _EXACT_MAIN, _BEGINS = 3.0, 2.5, 1.2
_BY_LENGTH = 1  # ts_rank_cd divides by 1 + log of the length: a short title says it more


_NOT_AVAILABLE = [kind for kind in BookStatus if kind is not BookStatus.AVAILABLE]
_COLUMN_RULES: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "status": lambda status: Book.status == status,
    "language": lambda language: Book.language == language,
    "year_from": lambda year: Book.publication_year >= year,
    "year_to": lambda year: Book.publication_year <= year,
    # What is no ISBN is asked as it stands, and finds nothing.
    "isbn": lambda given: Book.isbn == (isbn.canonical(given) or given),
    "available": lambda yes: (
        Book.status == BookStatus.AVAILABLE if yes else Book.status.in_(_NOT_AVAILABLE)
    ),
}


class Label(StrEnum):
    """Parts of a title that are indexed with a label of their own."""

    AUTHOR = "B"
    SUBJECT = "C"
    PUBLISHER = "D"


class SearchQuery(BaseModel):
    """What someone looks for; every part that is given must hold."""

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


def matching(question: SearchQuery) -> Select[Any]:
    """The titles in the catalogue that answer the question, unsorted."""
    conditions = [*_columns_hold(question), *_words_hold(question)]
    return select(*queries.BOOK_COLUMNS).where(Book.withdrawn_at.is_(None), *conditions)


def sorted_by(statement: Select[Any], question: SearchQuery, page: PageQuery) -> Select[Any]:
    """By relevance when words were given, else the newest first; or as `page` asks."""
    name = page.sort or (RELEVANCE if question.q else "created_at")
    if name == RELEVANCE and question.q:
        best_first = page.order is not Order.ASC or page.sort is None
        rank = _rank(question.q)
        return statement.order_by(rank.desc() if best_first else rank.asc(), Book.id)
    if name != RELEVANCE and name not in _SORTS:
        raise invalid("sort", f"must be one of: {RELEVANCE}, {', '.join(_SORTS)}")
    column = _SORTS.get(name, _SORTS["created_at"])
    newest_first = name == RELEVANCE or page.sort is None
    falling = page.order is Order.DESC or (page.order is None and newest_first)
    keys = (column, Book.id.expression)
    return statement.order_by(*(key.desc().nulls_last() if falling else key.asc() for key in keys))


def _columns_hold(question: SearchQuery) -> list[ColumnElement[bool]]:
    return [
        rule(getattr(question, name))
        for name, rule in _COLUMN_RULES.items()
        if getattr(question, name) is not None
    ]


def _words_hold(question: SearchQuery) -> list[ColumnElement[bool]]:
    conditions = []
    if question.q:
        found = _holds(_query(question.q))
        number = isbn.canonical(question.q)
        conditions.append(found if number is None else or_(Book.isbn == number, found))
    if question.author:
        conditions.append(_holds(_query(question.author, Label.AUTHOR)))
    if question.publisher:
        conditions.append(_holds(_query(question.publisher, Label.PUBLISHER)))
    if question.subject:
        conditions.append(_has_subject(question.subject))
    return conditions


def _words(given: str) -> ColumnElement[str]:
    return func.words_of(literal(given))


def _query(given: str, label: Label | None = None) -> ColumnElement[Any]:
    """All words, the last as a beginning, in the part of a title that `label` names.

    PostgreSQL quotes the words; the marks are set behind its quotes. Without a word it is null
    and holds nowhere.
    """
    mark = label.value if label else ""
    quoted = func.nullif(cast(func.plainto_tsquery("simple", _words(given)), Text), "")
    if mark:
        quoted = func.replace(quoted, "' & '", f"':{mark} & '")
    return cast(func.regexp_replace(quoted, "'$", f"':*{mark}"), TSQUERY)


def _holds(query: ColumnElement[Any]) -> ColumnElement[bool]:
    return Book.search.bool_op("@@")(query)


def _has_subject(given: str) -> ColumnElement[bool]:
    """The subject itself, in any case; its words lead there through the index."""
    each = func.unnest(Book.subjects).column_valued("each")
    same = select(literal(1)).where(func.lower(each) == given.lower()).exists()
    return and_(_holds(_query(given, Label.SUBJECT)), same)


def _rank(given: str) -> ColumnElement[Any]:
    words, title = _words(given), func.words_of(Book.title)
    main_title = func.words_of(func.regexp_replace(Book.title, "[(:].*", ""))
    weights = cast(_WEIGHTS, ARRAY(REAL))
    text_rank = func.ts_rank_cd(weights, Book.search, _query(given), _BY_LENGTH)
    title_rank = case(
        (Book.isbn == literal(isbn.canonical(given), Text), _EXACT),
        (~func.starts_with(title, words), 0.0),  # most end here, after one look
        (title == words, _EXACT),
        (main_title == words, _EXACT_MAIN),
        else_=_BEGINS,
    )
    return func.coalesce(text_rank, 0.0) + title_rank
