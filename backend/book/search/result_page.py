"""Read one page of a search: titles in order, their number, facets, corrections."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, literal, select

from backend.book import queries
from backend.book.schemas.search import Facet
from backend.book.search import facets, matching, ranking, search_query
from backend.book.search.matching import Matches
from backend.book.search.search_query import SearchQuery
from backend.shared.models import Book
from backend.shared.web.pagination import AnySelect, Order, PageQuery

# With more matches than this only so many are ranked, titles that begin with the text among them.
_MAX_RANKED = 1000
_MAX_PREFIXED = 200


@dataclass(frozen=True)
class ResultPage:
    """One page of a search."""

    rows: Sequence[Row[*tuple[Any, ...]]]
    total: int
    found: Matches | None
    facets: list[Facet] | None


def read(connection: Connection, query: SearchQuery, page: PageQuery) -> ResultPage:
    """Run a search."""
    order = search_query.order_by(page)
    found = matching.find(connection, query.q, exact=query.exact) if query.q else None
    filters = search_query.given_filters(query)
    base = [Book.withdrawn_at.is_(None), *([found.condition] if found else [])]
    condition = and_(*base, *filters.values())
    total = connection.execute(select(func.count()).where(condition)).scalar_one()
    if found is not None and search_query.sorts_by_relevance(query, page):
        is_reversed = page.sort is not None and page.order is Order.ASC
        statement = by_relevance(found, condition, total, is_reversed=is_reversed)
    else:
        statement = select(*queries.BOOK_COLUMNS).where(condition).order_by(*order)
    rows = connection.execute(statement.limit(page.limit).offset(page.offset)).all()
    counted = facets.count(connection, and_(*base), filters) if query.facets else None
    return ResultPage(rows, total, found, counted)


def by_relevance(
    found: Matches, condition: ColumnElement[bool], total: int, *, is_reversed: bool = False
) -> AnySelect:
    """Select the matches, best first."""
    if total <= _MAX_RANKED:
        rank = ranking.rank(found)
        order = rank.asc() if is_reversed else rank.desc()
        return select(*queries.BOOK_COLUMNS).where(condition).order_by(order, Book.id)
    ranked = _ranked(found, condition)
    order = ranked.c.rank.asc().nulls_first() if is_reversed else ranked.c.rank.desc().nulls_last()
    return (
        select(*queries.BOOK_COLUMNS)
        .outerjoin(ranked, ranked.c.id == Book.id)
        .where(condition)
        .order_by(order, Book.id)
    )


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
