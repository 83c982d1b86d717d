"""Lists: `page`, `limit`, `sort`, `order`, `cursor` (api.md §2)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Select,
    SQLColumnExpression,
    bindparam,
    func,
    select,
)

from backend.shared.errors import PageTooDeep, invalid
from backend.shared.infra.hot_reads import HotRead
from backend.shared.web import cursors
from backend.shared.web.envelope import PageAnswer, Pagination, json_response, meta

_MAX_ROW = 10_000
M = TypeVar("M", bound=BaseModel)
AnySelect = Select[*tuple[Any, ...]]  # of any columns


class Order(StrEnum):
    ASC = "asc"
    DESC = "desc"


class PageQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    page: int = 1
    limit: int = 20
    sort: str | None = None
    order: Order | None = None
    cursor: str | None = None

    @property
    def offset(self) -> int:
        return 0 if self.cursor is not None else (self.page - 1) * self.limit


async def _page_query(
    page: Annotated[int, Query(ge=1, le=2**31, description="From 1")] = 1,
    limit: Annotated[int, Query(ge=1, le=100, description="Rows per page")] = 20,
    sort: Annotated[str | None, Query(description="A sort name documented for this list")] = None,
    order: Annotated[Order | None, Query()] = None,
    cursor: Annotated[
        str | None,
        Query(
            max_length=1000,
            description="`pagination.next_cursor` of the last page, at any depth; replaces `page`. "
            "The totals then count from there on.",
        ),
    ] = None,
) -> PageQuery:
    return check_depth(PageQuery(page=page, limit=limit, sort=sort, order=order, cursor=cursor))


def check_depth(query: PageQuery) -> PageQuery:
    """Return the query; PageTooDeep when it asks for rows beyond the limit of pages."""
    if query.offset + query.limit > _MAX_ROW:
        raise PageTooDeep
    return query


PageDep = Annotated[PageQuery, Depends(_page_query)]


@dataclass(frozen=True)
class Sorting:
    """The order of a list: by one column, then by a unique one, both in the same direction."""

    column: SQLColumnExpression[Any]
    tiebreak: SQLColumnExpression[Any]
    name: str  # with a `-` where it descends
    position: cursors.Position | None  # where the page before ended
    nulls_last: bool = False  # also where it descends

    @property
    def descending(self) -> bool:
        return self.name.startswith("-")

    def apply(self, statement: AnySelect, *, bound: bool = False) -> AnySelect:
        """Sort a statement; with a position, select the rows after it."""
        statement = cursors.with_cursor(statement, self.name, self.column, self.tiebreak)
        if (after := self.after(bound=bound)) is not None:
            statement = statement.where(after)
        if not self.descending:
            return statement.order_by(self.column.asc(), self.tiebreak.asc())
        first = self.column.desc()
        return statement.order_by(
            first.nulls_last() if self.nulls_last else first, self.tiebreak.desc()
        )

    def after(self, *, bound: bool = False) -> ColumnElement[bool] | None:
        """Build the condition of the rows after the position, if there is one."""
        if self.position is None:
            return None
        return cursors.after(
            self.position,
            self.column,
            self.tiebreak,
            descending=self.descending,
            bound=bound,
            nulls_last=self.nulls_last and self.descending,
        )


def sorting(
    query: PageQuery,
    columns: Mapping[str, SQLColumnExpression[Any]],
    default: str,
    tiebreak: SQLColumnExpression[Any],
    nulls_last: Collection[str] = (),
) -> Sorting:
    """Return the order that a query names; 422 for a name that is not in `columns`.

    A default that begins with `-` is descending.
    """
    name = query.sort or default.lstrip("-")
    if name not in columns:
        raise invalid("sort", f"must be one of: {', '.join(columns)}")
    descending = query.order is Order.DESC or (
        query.order is None and query.sort is None and default.startswith("-")
    )
    column, full_name = columns[name], f"-{name}" if descending else name
    position = None
    if query.cursor is not None:
        position = cursors.decode(query.cursor, full_name, column)
    return Sorting(column, tiebreak, full_name, position, name in nulls_last)


def ordered(
    statement: AnySelect,
    query: PageQuery,
    columns: Mapping[str, SQLColumnExpression[Any]],
    *,
    default: str,
    tiebreak: SQLColumnExpression[Any],
) -> AnySelect:
    """Sort by one of `columns`, then by a unique column; 422 for any other name.

    A default that begins with `-` is descending.
    """
    return sorting(query, columns, default, tiebreak).apply(statement)


def paginate_rows(
    connection: Connection, statement: AnySelect, query: PageQuery, to_model: Callable[[Any], M]
) -> PageAnswer[M]:
    """Return one page of rows, each converted by `to_model`, with the count of all."""
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    total = connection.execute(counted).scalar_one()
    rows = connection.execute(statement.limit(query.limit).offset(query.offset)).all()
    return page_of([to_model(row) for row in rows], query, total, rows)


def paginate(
    connection: Connection, statement: AnySelect, query: PageQuery, model: type[M]
) -> PageAnswer[M]:
    """Return one page of rows as `model`, with the count of all."""
    return paginate_rows(connection, statement, query, model.model_validate)


def page_of(
    items: list[M], query: PageQuery, total: int, rows: Sequence[Any] = ()
) -> PageAnswer[M]:
    """Return one page; the last of `rows` gives the cursor of the next one."""
    return PageAnswer[M](
        data=items,
        pagination=_pagination(query, total, len(rows), rows[-1] if rows else None),
        meta=meta(),
    )


def _pagination(query: PageQuery, total: int, count: int, last: Any) -> Pagination:
    """Describe a page of `count` rows; `last` is one of them with its cursor, if there is any."""
    has_more = last is not None and query.offset + count < total
    return Pagination(
        page=query.page,
        limit=query.limit,
        total=total,
        total_pages=ceil(total / query.limit),
        next_cursor=cursors.encode(last) if has_more else None,
    )


@dataclass(frozen=True)
class Records:
    """The records of one page of a hot list, and the count of all."""

    read: HotRead
    page: Sequence[bytes]
    total: int

    def response(self, query: PageQuery, items: Iterable[bytes]) -> Response:
        """Return the response with the JSON of each record."""
        last = self.read.row(self.page[-1]) if self.page else None
        pagination = _pagination(query, self.total, len(self.page), last).model_dump_json()
        return json_response(b'[%b],"pagination":%b' % (b",".join(items), pagination.encode()))


@dataclass(frozen=True)
class HotList:
    """A list read by hot reads: one statement for each combination of filters and order.

    Each is compiled when it is first asked for; it also counts, so that a page is one round trip.
    The joins of `select` neither add rows nor leave any out: the count does without them.
    """

    select: AnySelect
    sorts: Mapping[str, SQLColumnExpression[Any]]
    default: str  # a name of `sorts`; descending if it begins with `-`
    tiebreak: SQLColumnExpression[Any]
    filters: Mapping[str, SQLColumnExpression[Any]] = field(default_factory=dict)  # column = value
    _compiled: dict[tuple[Any, ...], tuple[HotRead, HotRead]] = field(default_factory=dict)

    async def read(self, query: PageQuery, **filters: object) -> Records:
        """Return one page; a filter of None is left out."""
        values = {name: value for name, value in filters.items() if value is not None}
        reading, counting = self.reads(query, *values)
        position = sorting(query, self.sorts, self.default, self.tiebreak).position
        if position is not None:
            values["cursor_id"] = position.id
            values |= {"cursor_key": position.key} if position.key is not None else {}
        if query.offset:
            values["offset"] = query.offset
        page = await reading.records(**values, limit=query.limit)
        total = reading.row(page[0]).total_rows if page else 0
        if not page and query.offset:
            total = await counting.scalar(**values)
        return Records(reading, page, total)

    def reads(self, query: PageQuery, *filters: str) -> tuple[HotRead, HotRead]:
        """Return the reads of a page and of the count with these filters."""
        order = sorting(query, self.sorts, self.default, self.tiebreak)
        position = order.position and (order.position.key is None)
        is_first = not query.offset
        key = (order.name, position, is_first, *sorted(filters))
        found = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = self._compile(order, filters, is_first=is_first)
        return found

    def _compile(
        self, order: Sorting, filters: tuple[str, ...], *, is_first: bool
    ) -> tuple[HotRead, HotRead]:
        conditions = [self._equals(name) for name in filters]
        if self.select.whereclause is not None:
            conditions.append(self.select.whereclause)
        if (after := order.after(bound=True)) is not None:
            conditions.append(after)
        keys = select(self.tiebreak).where(*conditions)
        count = select(func.count()).select_from(keys.subquery())
        counted = self.select.where(*map(self._equals, filters))
        counted = counted.add_columns(count.scalar_subquery().label("total_rows"))
        page = order.apply(counted, bound=True)
        page = page.limit(_number("limit"))
        # PostgreSQL would plan a page with an unknown offset anew for each request.
        return HotRead(page if is_first else page.offset(_number("offset"))), HotRead(count)

    def _equals(self, name: str) -> ColumnElement[bool]:
        return self.filters[name] == bindparam(name)


def _number(name: str) -> BindParameter[int]:
    return bindparam(name, type_=Integer)
