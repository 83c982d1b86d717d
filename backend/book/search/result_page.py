"""Read one page of a search: titles in order, their number, facets, corrections."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
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
    total = _known_count(found) if not filters else None
    if total is None:
        total = connection.execute(select(func.count()).where(condition)).scalar_one()
    if found is not None and search_query.sorts_by_relevance(query, page):
        statement = by_relevance(found, condition, total, page)
    else:
        statement = search_query.sorting(page, None).apply(_books(condition))
    if page.cursor is not None:
        total = connection.execute(_count(statement)).scalar_one()
    # Without a match the order would be read from end to end.
    here = statement.limit(page.limit).offset(page.offset)
    rows = connection.execute(here).all() if total else []
    counted = None
    if query.facets:
        most = facets.MAX_COUNTED if total <= facets.MAX_COUNTED else facets.SAMPLE
        counted = facets.count(connection, and_(*base), filters, most)
    return ResultPage(rows, total, found, counted)


def _known_count(found: Matches | None) -> int | None:
    is_exact = found is not None and found.count is not None and found.count < matching.MAX_COUNTED
    return found.count if found is not None and is_exact else None


def by_relevance(
    found: Matches, condition: ColumnElement[bool], total: int, page: PageQuery
) -> AnySelect:
    """Select the matches, best first."""
    statement = _books(condition)
    if total <= _MAX_RANKED:
        rank: ColumnElement[float] = type_coerce(ranking.rank(found), Double)
    else:
        ranked = _ranked(found, condition)
        only_ranked = page.cursor is None and page.offset + page.limit <= _MAX_RANKED
        statement = statement.join(ranked, ranked.c.id == Book.id, isouter=not only_ranked)
        rank = func.coalesce(type_coerce(ranked.c.rank, Double), _UNRANKED)
    return search_query.sorting(page, rank).apply(statement)


def _books(condition: ColumnElement[bool]) -> AnySelect:
    return select(*queries.BOOK_COLUMNS).where(condition)


def _count(statement: AnySelect) -> Select[int]:
    return select(func.count()).select_from(statement.order_by(None).subquery())


def _ranked(found: Matches, condition: ColumnElement[bool]) -> CTE:
    """Select the ranks of the first matches by id: the same ones for each page."""
    begins = Book.main_title_words.like(func.replace(literal(found.text), "_", "\\_") + "%")
    matching_ids = select(Book.id).where(condition).order_by(Book.id)
    prefixed = matching_ids.where(begins).limit(_MAX_PREFIXED)
    some = matching_ids.limit(_MAX_RANKED)
    near = select(Book.id).where(Book.main_title_words.in_(found.near), condition)
    chosen = prefixed.union(some, near).cte("chosen").prefix_with("MATERIALIZED")
    return (
        select(Book.id, ranking.rank(found).label("rank"))
        .join(chosen, chosen.c.id == Book.id)
        .cte("ranked")
        .prefix_with("MATERIALIZED")
    )
