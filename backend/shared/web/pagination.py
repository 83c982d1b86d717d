"""Lists: `page`, `limit`, `sort`, `order` (api.md §2)."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from math import ceil
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel
from sqlalchemy import Connection, Select, SQLColumnExpression, func, select

from backend.shared.errors import PageTooDeep, invalid
from backend.shared.web.envelope import PageAnswer, Pagination, meta

_MAX_ROW = 10_000
M = TypeVar("M", bound=BaseModel)
AnySelect = Select[*tuple[Any, ...]]  # of any columns


class Order(StrEnum):
    ASC = "asc"
    DESC = "desc"


class PageQuery(BaseModel):
    page: int = 1
    limit: int = 20
    sort: str | None = None
    order: Order | None = None

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.limit


def _page_query(
    page: Annotated[int, Query(ge=1, le=2**31, description="From 1")] = 1,
    limit: Annotated[int, Query(ge=1, le=100, description="Rows per page")] = 20,
    sort: Annotated[str | None, Query(description="A sort name documented for this list")] = None,
    order: Annotated[Order | None, Query()] = None,
) -> PageQuery:
    query = PageQuery(page=page, limit=limit, sort=sort, order=order)
    if query.offset + query.limit > _MAX_ROW:
        raise PageTooDeep
    return query


PageDep = Annotated[PageQuery, Depends(_page_query)]


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
    name = query.sort or default.lstrip("-")
    if name not in columns:
        raise invalid("sort", f"must be one of: {', '.join(columns)}")
    descending = query.order is Order.DESC or (
        query.order is None and query.sort is None and default.startswith("-")
    )
    keys = (columns[name], tiebreak)
    return statement.order_by(*(key.desc() if descending else key.asc() for key in keys))


def paginate_rows(
    connection: Connection, statement: AnySelect, query: PageQuery, to_model: Callable[[Any], M]
) -> PageAnswer[M]:
    """Return one page of rows, each converted by `to_model`, with the count of all."""
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    total = connection.execute(counted).scalar_one()
    rows = connection.execute(statement.limit(query.limit).offset(query.offset)).all()
    return page_of([to_model(row) for row in rows], query, total)


def paginate(
    connection: Connection, statement: AnySelect, query: PageQuery, model: type[M]
) -> PageAnswer[M]:
    """Return one page of rows as `model`, with the count of all."""
    return paginate_rows(connection, statement, query, model.model_validate)


def page_of(items: list[M], query: PageQuery, total: int) -> PageAnswer[M]:
    return PageAnswer[M](
        data=items,
        pagination=Pagination(
            page=query.page,
            limit=query.limit,
            total=total,
            total_pages=ceil(total / query.limit),
        ),
        meta=meta(),
    )
