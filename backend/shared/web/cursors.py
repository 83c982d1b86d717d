"""Cursors of deep lists (api.md §2): the sort key and id of the last row of a page.

A statement that `with_cursor` has extended gives every row the three values of its cursor. A
cursor is for one sort order; its values are checked before they reach the database.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    Text,
    and_,
    bindparam,
    cast,
    literal,
    or_,
    tuple_,
)

from backend.shared.errors import invalid
from backend.shared.infra import storable

_MAX_INTEGER = 2**31
AnySelect = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class Position:
    """Where a page ended: the text of the sort column (None: NULL) and of the unique column."""

    key: str | None
    id: str


class RowWithCursor(Protocol):
    """A row of a statement of `with_cursor`."""

    @property
    def cursor_sort(self) -> str: ...
    @property
    def cursor_key(self) -> object: ...
    @property
    def cursor_id(self) -> str: ...


def encode(row: RowWithCursor) -> str:
    """Return the cursor of a row."""
    values = json.dumps([row.cursor_sort, row.cursor_key, row.cursor_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(values.encode()).decode().rstrip("=")


def decode(cursor: str, sort: str, column: Any) -> Position:
    """Return the position of a cursor of this sort order; Invalid for any other text."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        given, key, row_id = json.loads(base64.urlsafe_b64decode(padded.encode()))
        if given == sort:
            return Position(_checked(key, column.type.python_type), str(UUID(row_id)))
    except (binascii.Error, ValueError, TypeError, AttributeError) as error:
        raise invalid("cursor", "must be the next_cursor of an earlier page") from error
    raise invalid("cursor", "belongs to another sort order")


def _checked(key: Any, kind: type[Any]) -> str | None:
    """Return the text of a sort key if the database can read it as this type; else ValueError."""
    if key is None:
        return None
    text = storable.check_text(str(key))
    if kind is datetime:
        storable.check_time(datetime.fromisoformat(text))
    elif kind is int and abs(int(text)) >= _MAX_INTEGER:
        raise ValueError("out of range")
    elif kind in {float, Decimal} and not isfinite(float(text)):
        raise ValueError("not a number")
    elif kind is UUID:
        UUID(text)
    return text


def with_cursor(
    statement: AnySelect,
    sort: str,
    column: SQLColumnExpression[Any],
    tiebreak: SQLColumnExpression[Any],
) -> AnySelect:
    """Add the values of each row's cursor."""
    return statement.add_columns(
        literal(sort, Text).label("cursor_sort"),
        cast(column, Text).label("cursor_key"),
        cast(tiebreak, Text).label("cursor_id"),
    )


def after(
    position: Position,
    column: Any,  # a SQLColumnExpression, which has no `type` for mypy
    tiebreak: Any,
    *,
    descending: bool,
    bound: bool,
    nulls_last: bool = False,
) -> ColumnElement[bool]:
    """Build the condition of the rows after a position; PostgreSQL sorts NULL as the greatest.

    `nulls_last`: the column descends with its NULLs at the end.

    `bound`: the values are given at execution, as `cursor_key` and `cursor_id`.
    """
    values = {} if bound else {"cursor_key": position.key, "cursor_id": position.id}
    key, row_id = (
        cast(bindparam(name, type_=Text, **_value(values, name)), each.type)
        for name, each in (("cursor_key", column), ("cursor_id", tiebreak))
    )
    ends_with_nulls = nulls_last or not descending
    if position.key is None:
        later_id = tiebreak < row_id if descending else tiebreak > row_id
        same = and_(column.is_(None), later_id)
        return same if ends_with_nulls else or_(same, column.is_not(None))
    here, there = tuple_(column, tiebreak), tuple_(key, row_id)
    beyond = here < there if descending else here > there
    may_be_null = ends_with_nulls and (nulls_last or _may_be_null(column))
    return or_(beyond, column.is_(None)) if may_be_null else beyond


def _value(values: dict[str, str | None], name: str) -> dict[str, Any]:
    return {"value": values[name]} if name in values else {}


def _may_be_null(column: SQLColumnExpression[Any]) -> bool:
    return bool(getattr(getattr(column, "expression", column), "nullable", False))
