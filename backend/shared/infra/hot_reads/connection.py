"""A connection on which the event loop runs prepared statements, several in one round trip.

psycopg opens it and converts values. In between its libpq connection is used directly, with one
watch of the socket for as long as it is open: psycopg adds and removes a watch for each wait, which
costs more than the statement.
"""

import asyncio
import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection, Error, OperationalError
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

_PARAMETER = re.compile(r"%(?:%|\((\w+)\)s)")
_FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE)
Call = tuple["Statement", Mapping[str, Any]]


class Statement:
    """A statement with parameters as `%(name)s`; `%%` is a percent sign."""

    def __init__(self, sql: str, *, selects_records: bool = False) -> None:
        self.sql = sql
        self.selects_records = selects_records
        self.names: list[str] = []
        self.numbered = _PARAMETER.sub(self._number, sql).encode()
        self._make_row: Callable[..., Any] | None = None

    def _number(self, found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "%"
        if name not in self.names:
            self.names.append(name)
        return f"${self.names.index(name) + 1}"

    def row_maker(self, result: PGresult) -> Callable[..., Any]:
        """Return what makes a named tuple of a row."""
        if self._make_row is None:
            names = [(result.fname(column) or b"").decode() for column in range(result.nfields)]
            self._make_row = namedtuple("Row", names, rename=True)._make  # type: ignore[attr-defined]  # noqa: PYI024 (its fields are known at run time)
        return self._make_row


class Connection:
    """Must be used by one caller at a time."""

    def __init__(self, opened: AsyncConnection[Any]) -> None:
        self._opened = opened
        self._libpq = opened.pgconn
        self._values = Transformer(opened)
        self._prepared: dict[Statement, bytes] = {}
        self._count = 0  # of all that were ever prepared here
        self._results: list[PGresult] = []
        self._waiting: asyncio.Future[list[PGresult]] | None = None
        self._loop = asyncio.get_running_loop()
        self._libpq.enter_pipeline_mode()
        self._socket = self._libpq.socket
        self._loop.add_reader(self._socket, self._receive)
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether it was lost or closed."""
        return self._is_closed or self._opened.closed

    async def rows(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Any]:
        """Run a statement; return its rows as named tuples, or as bytes if it selects records."""
        (rows,) = await self.rows_of([(statement, parameters)])
        return rows

    async def rows_of(self, calls: Sequence[Call]) -> list[list[Any]]:
        """Run statements one after the other in one round trip; return the rows of each.

        After one that fails, the rest does not run.
        """
        if self._is_closed:
            raise OperationalError("the connection is closed")
        sent = [self._dumped(*call) for call in calls]  # before any is sent: it may fail
        new = {statement for statement, _ in calls} - self._prepared.keys()
        try:
            for (statement, _), values in zip(calls, sent, strict=True):
                self._send_call(statement, values)
            results = await self._round_trip()
        except BaseException:
            for statement in new:  # which of them were prepared is not known
                self._prepared.pop(statement, None)
            raise
        answers = iter(results)
        rows = []
        for statement, _ in calls:
            if statement in new:
                new.remove(statement)
                next(answers)  # of its preparation
            rows.append(self._loaded(statement, next(answers)))
        return rows

    def _dumped(self, statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
        values = [parameters[name] for name in statement.names]
        return self._values.dump_sequence(values, [PyFormat.TEXT] * len(values))

    def _send_call(self, statement: Statement, values: Sequence[Any]) -> None:
        name = self._prepared.get(statement)
        if name is None:
            self._count += 1
            name = self._prepared[statement] = b"hot_%d" % self._count
            self._libpq.send_prepare(name, statement.numbered)
        self._libpq.send_query_prepared(name, values, result_format=Format.BINARY)

    def _loaded(self, statement: Statement, result: PGresult) -> list[Any]:
        count = result.ntuples
        if count == 0:
            return []
        if statement.selects_records:
            return [result.get_value(row, 0) for row in range(count)]
        self._values.set_pgresult(result)
        return self._values.load_rows(0, count, statement.row_maker(result))

    async def _round_trip(self) -> list[PGresult]:
        """Return the results of what was sent; a caller that is cancelled closes the connection."""
        self._libpq.pipeline_sync()
        if self._libpq.flush():
            self._loop.add_writer(self._socket, self._send)
        self._waiting = self._loop.create_future()
        try:
            return await self._waiting
        except asyncio.CancelledError:
            self.close()
            raise

    def _send(self) -> None:
        """Send what the socket had no room for."""
        try:
            if self._libpq.flush() == 0:
                self._loop.remove_writer(self._socket)
        except Error as error:
            self._fail(error)

    def _receive(self) -> None:
        try:
            self._libpq.consume_input()
            while self._waiting is not None and not self._libpq.is_busy():
                result = self._libpq.get_result()
                if result is not None and result.status != ExecStatus.PIPELINE_SYNC:
                    self._results.append(result)
                elif result is not None or self._opened.closed:
                    self._finish(self._waiting)  # without a result a statement has ended
        except Error as error:
            self._fail(error)

    def _finish(self, waiting: asyncio.Future[list[PGresult]]) -> None:
        """Hand over the results: all of them have come."""
        results, self._results, self._waiting = self._results, [], None
        if self._opened.closed:
            self.close()
        if waiting.done():
            return
        failed = next((each for each in results if each.status in _FAILED), None)
        if failed is not None:
            waiting.set_exception(error_from_result(failed))
        elif self._is_closed:
            waiting.set_exception(OperationalError("the connection was lost"))
        else:
            waiting.set_result(results)

    def _fail(self, error: Error) -> None:
        waiting, self._waiting = self._waiting, None
        self.close()
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._libpq.finish()
