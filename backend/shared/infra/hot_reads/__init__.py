"""Hot reads: selects compiled once, at import, and run by psycopg 3 on the event loop.

A request of this kind builds no statement, uses no thread and opens no transaction. The pool is
small and of its own; its connections are in autocommit mode, prepare each statement once, and are
replaced when they are lost. See docs/architecture.md, "The request path".
"""

import asyncio
from collections import deque, namedtuple
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import AsyncConnection, Error, OperationalError
from psycopg.adapt import Transformer
from psycopg.postgres import types
from psycopg.pq import Format
from sqlalchemy import BindParameter, Enum, Select
from sqlalchemy.dialects.postgresql.psycopg import dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.sql.visitors import cloned_traverse

from backend.shared.infra import config
from backend.shared.infra.hot_reads.connection import Connection, Statement

_TIMEOUT = 5.0  # seconds for all of a read: waiting for a connection, connecting, running
_OPTIONS = "-c lock_timeout=3000 -c statement_timeout=4000 -c timezone=UTC"
APPLICATION_NAME = "luna hot reads"  # in pg_stat_activity
_DIALECT = dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy has no annotation there

_RECORD = types["record"].oid
MAX_REMEMBERED = 500  # records of a process, of what is made of them

Row = Any  # a named tuple


async def connect(name: str = APPLICATION_NAME, options: str = _OPTIONS) -> Connection:
    """Open a connection of the running event loop."""
    url = config.database().database_url.replace("postgresql+psycopg2://", "postgresql://", 1)
    opened = await AsyncConnection.connect(
        url, connect_timeout=3, options=options, application_name=name
    )
    return Connection(opened)


class Pool:
    """Connections of one event loop, opened when they are first needed."""

    def __init__(self) -> None:
        self._idle: deque[Connection] = deque()
        self._slots = asyncio.Semaphore(config.database().hot_pool_size)

    async def run(self, statement: Statement, parameters: dict[str, Any]) -> list[Any]:
        """Return the rows; a read whose connection was lost is run once more.

        Errors are those of SQLAlchemy, as everywhere else.
        """
        try:
            async with asyncio.timeout(_TIMEOUT), self._slots:
                try:
                    return await self.run_once(statement, parameters)
                except OperationalError:
                    if not self._discard_lost():
                        raise
                    return await self.run_once(statement, parameters)
        except TimeoutError as error:
            raise PoolTimeout("a hot read took too long") from error
        except Error as error:
            lost = isinstance(error, OperationalError) and error.sqlstate is None
            raise DBAPIError(statement.sql, None, error, connection_invalidated=lost) from error

    async def run_once(self, statement: Statement, parameters: dict[str, Any]) -> list[Any]:
        """Run a statement on an idle connection or a new one."""
        connection = self._idle.pop() if self._idle else await connect()
        try:
            rows = await connection.rows(statement, parameters)
        except Error:
            self._idle.append(connection)  # if it is lost, _discard_lost finds it
            raise
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return rows

    def _discard_lost(self) -> bool:
        """Close all idle connections if one was lost: a server that ended took them all."""
        if not any(connection.is_closed for connection in self._idle):
            return False
        self.close()
        return True

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()


def _pool() -> Pool:
    loop = asyncio.get_running_loop()
    found = _pools.get(loop)
    if found is None:
        found = _pools[loop] = Pool()
    return found


async def run(sql: str, parameters: dict[str, Any]) -> list[Any]:
    """Run any statement that returns rows and may be run twice, in autocommit mode."""
    return await _pool().run(_statement(sql), parameters)


@lru_cache
def _statement(sql: str) -> Statement:
    return Statement(sql)


async def close() -> None:
    """Close the idle connections of this event loop."""
    _pool().close()


class HotRead:
    """A select with its parameters as `bindparam`; its rows are named tuples.

    Other values are part of the SQL text, so that PostgreSQL can use partial indexes.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self.statement = statement
        with_literals = cloned_traverse(statement, {}, {"bindparam": _make_literal})
        compiled = with_literals.compile(dialect=_DIALECT)
        required = {bind.key for bind in compiled.binds.values() if bind.required}
        sql = compiled.construct_expanded_state(dict.fromkeys(required)).statement
        self._rows = Statement(sql)
        self._records = Statement(f"SELECT record FROM ({sql}) AS record", selects_records=True)  # noqa: S608 (compiled above)
        self._enums = _enums(statement)
        names = statement.selected_columns.keys()
        self._make_row = namedtuple("Row", names, rename=True)._make  # type: ignore[attr-defined]  # noqa: PYI024 (its fields are known at run time)

    async def all(self, **parameters: Any) -> Sequence[Row]:
        """Return every row."""
        rows = await _pool().run(self._rows, _plain(parameters))
        return [self._with_enums(row) for row in rows] if self._enums else rows

    async def one(self, **parameters: Any) -> Row:
        """Return the only row, which must exist."""
        (row,) = await self.all(**parameters)
        return row

    async def one_or_none(self, **parameters: Any) -> Row | None:
        """Return the only row, or None."""
        rows = await self.all(**parameters)
        return rows[0] if rows else None

    async def scalar(self, **parameters: Any) -> Any:
        """Return the first column of the only row; None without a row."""
        row = await self.one_or_none(**parameters)
        return None if row is None else row[0]

    async def records(self, **parameters: Any) -> Sequence[bytes]:
        """Return every row as PostgreSQL sent it; equal bytes are equal rows.

        What is made of a row can so be remembered by its bytes, and is as new as they are.
        """
        return await _pool().run(self._records, _plain(parameters))

    @lru_cache(maxsize=MAX_REMEMBERED)  # noqa: B019 (hot reads live as long as the process)
    def row(self, record: bytes) -> Row:
        """Return the row of a record; it must not be changed."""
        return self._with_enums(self._make_row(_load_record(record)))

    def _with_enums(self, row: Row) -> Row:
        values = list(row)
        for position, member_of in self._enums:
            values[position] = member_of(values[position])
        return row._make(values)


_load_record = Transformer().get_loader(_RECORD, Format.BINARY).load


def _plain(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(value, "value", value) for name, value in parameters.items()}


def _make_literal(bind: BindParameter[Any]) -> None:
    bind.literal_execute = not bind.required


def _enums(statement: Select[*tuple[Any, ...]]) -> list[tuple[int, Callable[[Any], Any]]]:
    """Return the columns of enumerations; all other values are converted by psycopg."""
    processors: list[tuple[int, Any]] = [
        (position, column.type.result_processor(_DIALECT, None))  # type: ignore[no-untyped-call]  # likewise
        for position, column in enumerate(statement.selected_columns)
        if isinstance(column.type, Enum)
    ]
    return processors
