"""Read one page of a search: titles in order, their number, facets, corrections."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Row,
    Select,
    and_,
    func,
    literal,
    select,
    type_coerce,
)

from backend.book import queries
from backend.book.schemas.search import Facet
from backend.book.search import facets, matching, ranking, search_query
from backend.book.search.matching import Matches
from backend.book.search.search_query import SearchQuery
from backend.shared.models import Book
from backend.shared.web.pagination import AnySelect, PageQuery

# With more matches than this only so many are ranked, titles that begin with the text among them.
_MAX_RANKED = 1000
_MAX_PREFIXED = 200
_UNRANKED = -1.0  # below any rank


@dataclass(frozen=True)
class ResultPage:
    """One page of a search."""

    rows: Sequence[Row[*tuple[Any, ...]]]
    total: int
    found: Matches | None
    facets: list[Facet] | None


def read(connection: Connection, query: SearchQuery, page: PageQuery) -> ResultPage:
    """Run a search."""
    search_query.check_sort(page)
    found = matching.find(connection, query.q, exact=query.exact) if query.q else None
    filters = search_query.given_filters(query)
    base = [Book.withdrawn_at.is_(None), *([found.condition] if found else [])]
    condition = and_(*base, *filters.values())
    total = connection.execute(select(func.count()).where(condition)).scalar_one()
    if found is not None and search_query.sorts_by_relevance(query, page):
        statement = by_relevance(found, condition, total, page)
    else:
        statement = search_query.sorting(page, None).apply(_books(condition))
    if page.cursor is not None:
        total = connection.execute(_count(statement)).scalar_one()
    rows = connection.execute(statement.limit(page.limit).offset(page.offset)).all()
    counted = facets.count(connection, and_(*base), filters) if query.facets else None
    return ResultPage(rows, total, found, counted)


def by_relevance(
    found: Matches, condition: ColumnElement[bool], total: int, page: PageQuery
) -> AnySelect:
    """Select the matches, best first."""
    statement = _books(condition)
    if total <= _MAX_RANKED:
        rank: ColumnElement[float] = type_coerce(ranking.rank(found), Double)
    else:
        ranked = _ranked(found, condition)
        statement = statement.outerjoin(ranked, ranked.c.id == Book.id)
        rank = func.coalesce(type_coerce(ranked.c.rank, Double), _UNRANKED)
    return search_query.sorting(page, rank).apply(statement)


def _books(condition: ColumnElement[bool]) -> AnySelect:
    return select(*queries.BOOK_COLUMNS).where(condition)


def _count(statement: AnySelect) -> Select[int]:
    return select(func.count()).select_from(statement.order_by(None).subquery())


def _ranked(found: Matches, condition: ColumnElement[bool]) -> Any:
    begins = Book.main_title_words.like(func.replace(literal(found.text), "_", "\\_") + "%")
    prefixed = select(Book.id).where(begins, condition).limit(_MAX_PREFIXED)
    some = select(Book.id).where(condition).limit(_MAX_RANKED)
    chosen = prefixed.union(some).cte("chosen").prefix_with("MATERIALIZED")
    return (
        select(Book.id, ranking.rank(found).label("rank"))
        .join(chosen, chosen.c.id == Book.id)
        .cte("ranked")
        .prefix_with("MATERIALIZED")
    )
