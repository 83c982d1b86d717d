"""Search parameters of the catalogue: filters and sort orders."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, Text, and_, func, literal, select

from backend.book.schemas import isbn
from backend.book.search import matching, query_syntax
from backend.shared.errors import invalid
from backend.shared.models import Book, BookStatus
from backend.shared.web import pagination
from backend.shared.web.pagination import PageQuery, Sorting

RELEVANCE = "relevance"
_SORTS: dict[str, ColumnElement[Any]] = {
    "title": func.lower(Book.title, type_=Text),
    "author": func.lower(Book.author, type_=Text),
    "publication_year": Book.publication_year.expression,
    "created_at": Book.created_at.expression,
}
_NOT_AVAILABLE = [status for status in BookStatus if status is not BookStatus.AVAILABLE]


class SearchQuery(BaseModel):
    """Search parameters; all that are given must match."""

    model_config = ConfigDict(frozen=True)

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
    exact: bool = False
    facets: bool = False


def _has_words(name: str) -> Callable[[str], ColumnElement[bool]]:
    label = query_syntax.LABELS[name]
    return lambda text: Book.search.bool_op("@@")(matching.words_query(text, label))


def _has_subject(subject: str) -> ColumnElement[bool]:
    """Match a whole subject in any case; its words narrow the rows through the index."""
    each = func.unnest(Book.subjects).column_valued("each")
    same = select(literal(1)).where(func.lower(each) == subject.lower()).exists()
    label = query_syntax.LABELS["subject"]
    words = matching.words_query(subject, label, is_phrase=True)
    return and_(Book.search.bool_op("@@")(words), same)


_FILTERS: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "status": lambda status: Book.status == status,
    "author": _has_words("author"),
    "publisher": _has_words("publisher"),
    "subject": _has_subject,
    "language": lambda language: Book.language == language,
    "year_from": lambda year: Book.publication_year >= year,
    "year_to": lambda year: Book.publication_year <= year,
    # An invalid ISBN is compared as it is and matches nothing.
    "isbn": lambda text: matching.has_isbn(isbn.normalize(text) or text),
    "available": lambda available: (
        Book.status == BookStatus.AVAILABLE if available else Book.status.in_(_NOT_AVAILABLE)
    ),
}


def given_filters(query: SearchQuery) -> dict[str, ColumnElement[bool]]:
    """Return the condition of each filter that is given."""
    return {
        name: condition(getattr(query, name))
        for name, condition in _FILTERS.items()
        if getattr(query, name) is not None
    }


def sorts_by_relevance(query: SearchQuery, page: PageQuery) -> bool:
    """Tell whether titles are sorted by their rank."""
    return bool(query.q) and page.sort in {None, RELEVANCE}


def check_sort(page: PageQuery) -> None:
    """Raise Invalid for a sort name that is not known."""
    if page.sort not in {None, RELEVANCE, *_SORTS}:
        raise invalid("sort", f"must be one of: {RELEVANCE}, {', '.join(_SORTS)}")


def sorting(page: PageQuery, rank: ColumnElement[Any] | None) -> Sorting:
    """Return the order of a page: by default best match first, without a rank newest first."""
    if page.sort == RELEVANCE and page.order is None:
        page = page.model_copy(update={"sort": None})
    columns = {**_SORTS, RELEVANCE: _SORTS["created_at"] if rank is None else rank}
    # NULLS LAST only where a value may be absent: for the others no index would have this order.
    return pagination.sorting(page, columns, f"-{RELEVANCE}", Book.id, {"publication_year"})
