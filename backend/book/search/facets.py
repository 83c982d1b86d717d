"""Count the values of the filters among the matches of a search."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
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

MAX_COUNTED = 20_000  # matches; of more, the counts are those of so many
_MAX_VALUES = 15
_DECADE = 10
# The value of each facet, and the filters that it stands for: its counts ignore them.
_FACETS: dict[str, tuple[ColumnElement[Any], frozenset[str]]] = {
    "available": (
        case((Book.status == BookStatus.AVAILABLE, "true"), else_="false"),
        frozenset({"available", "status"}),
    ),
    "language": (Book.language.expression, frozenset({"language"})),
    "author": (Book.author.expression, frozenset({"author"})),
    "subject": (func.unnest(Book.subjects), frozenset({"subject"})),
    "publisher": (Book.publisher.expression, frozenset({"publisher"})),
    "decade": (
        cast(func.div(Book.publication_year, _DECADE) * _DECADE, Text),
        frozenset({"year_from", "year_to"}),
    ),
}


def count(
    connection: Connection,
    base: ColumnElement[bool],
    filters: Mapping[str, ColumnElement[bool]],
) -> list[Facet]:
    """Count each facet over the matches of all filters but its own."""
    parts = []
    for name, (value, own) in _FACETS.items():
        others = [condition for key, condition in filters.items() if key not in own]
        parts.append(_values(name, value, and_(base, *others)))
    found: dict[str, list[FacetValue]] = {name: [] for name in _FACETS}
    for name, value, number in connection.execute(union_all(*parts)):
        found[name].append(FacetValue(value=value, count=number))
    return [Facet(name=name, values=values) for name, values in found.items()]


def _values(
    name: str, value: ColumnElement[Any], condition: ColumnElement[bool]
) -> Select[Any, Any, Any]:
    matched = select(value.label("value")).where(condition).limit(MAX_COUNTED).subquery()
    number = func.count().label("number")
    grouped = (
        select(matched.c.value, number)
        .where(matched.c.value.is_not(None))
        .group_by(matched.c.value)
        .order_by(number.desc(), matched.c.value)
        .limit(_MAX_VALUES)
        .subquery()
    )
    return select(literal(name), grouped.c.value, grouped.c.number)
