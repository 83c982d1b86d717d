"""Count the values of the filters among the matches of a search."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)

from backend.book.schemas.search import Facet, FacetValue
from backend.shared.models import Book, BookStatus

MAX_COUNTED = 12_000  # matches
SAMPLE = 5_000  # of more matches, the counts are those of so many
_MAX_VALUES = 15
_DECADE = 10
# The filters that each facet stands for: its counts ignore them.
_FILTERS: dict[str, frozenset[str]] = {
    "available": frozenset({"available", "status"}),
    "language": frozenset({"language"}),
    "author": frozenset({"author"}),
    "subject": frozenset({"subject"}),
    "publisher": frozenset({"publisher"}),
    "decade": frozenset({"year_from", "year_to"}),
}


def count(
    connection: Connection,
    base: ColumnElement[bool],
    filters: Mapping[str, ColumnElement[bool]],
    most: int,
) -> list[Facet]:
    """Count each facet over at most so many matches of all filters but its own.

    Facets that ignore the same filters are counted over the same rows, which are read once.
    """
    matches: dict[frozenset[str], CTE] = {}
    parts = []
    for name, own in _FILTERS.items():
        others = frozenset(filters.keys() - own)
        if others not in matches:
            condition = and_(base, *(filters[each] for each in others))
            matches[others] = _matches(f"matches_{len(matches)}", condition, most)
        parts.append(_values(name, matches[others]))
    found: dict[str, list[FacetValue]] = {name: [] for name in _FILTERS}
    for name, value, number in connection.execute(union_all(*parts)):
        found[name].append(FacetValue(value=value, count=number))
    return [Facet(name=name, values=values) for name, values in found.items()]


def _matches(name: str, condition: ColumnElement[bool], most: int) -> CTE:
    values = select(
        case((Book.status == BookStatus.AVAILABLE, "true"), else_="false").label("available"),
        Book.language,
        Book.author,
        Book.subjects.label("subject"),
        Book.publisher,
        cast(func.div(Book.publication_year, _DECADE) * _DECADE, Text).label("decade"),
    )
    return values.where(condition).limit(most).cte(name).prefix_with("MATERIALIZED")


def _values(name: str, matches: CTE) -> Select[Any, Any, Any]:
    column = matches.c[name]
    each = func.unnest(column) if name == "subject" else column
    values = select(each.label("value")).select_from(matches).subquery()
    number = func.count().label("number")
    grouped = (
        select(values.c.value, number)
        .where(values.c.value.is_not(None))
        .group_by(values.c.value)
        .order_by(number.desc(), values.c.value)
        .limit(_MAX_VALUES)
        .subquery()
    )
    return select(literal(name), grouped.c.value, grouped.c.number)
