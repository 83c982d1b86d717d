"""Hot transactions: prepared statements in one transaction, run on the event loop.

For a write that many people make at once. It uses no thread and builds no statement, and several
statements take one round trip. Its pool is its own: a transaction that waits for a lock delays no
hot read. See docs/architecture.md, "The request path".
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from psycopg import Error, OperationalError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from backend.shared.infra import commit_hooks, config, database, hot_reads
from backend.shared.infra.commit_hooks import Signal
from backend.shared.infra.database import Prepared
from backend.shared.infra.hot_reads.connection import Connection, Statement

APPLICATION_NAME = "luna hot transactions"  # in pg_stat_activity
_POOL_TIMEOUT = 5.0  # seconds
# A plan is kept: one that was made while a table was small must use its indexes, too.
_PLANS = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
_NOTHING: Mapping[str, Any] = {}
Call = tuple[Prepared, Mapping[str, Any]]
_BEGIN, _COMMIT, _ROLLBACK = map(Statement, ("BEGIN", "COMMIT", "ROLLBACK"))


class Transaction:
    """A transaction that begins with its first statement.

    `commits_last`: it is committed in the round trip of the last statement of its work.
    """

    def __init__(self, connection: Connection, *, commits_last: bool) -> None:
        self.signals: list[Signal] = []  # sent after the commit
        self._connection = connection
        self._commits_last = commits_last
        self._is_open = False

    async def run(self, *calls: Call) -> list[Any]:
        """Run statements in one round trip; return the rows of the last as named tuples.

        Each sees what was committed while the one before waited for a lock. An enumeration comes as
        PostgreSQL sends it: the statement selects its text.
        """
        return (await self._run(calls, commit=False))[-1]

    async def run_each(self, *calls: Call) -> list[list[Any]]:
        """Run statements in one round trip; return the rows of each."""
        return await self._run(calls, commit=False)

    async def run_last(self, *calls: Call) -> list[Any]:
        """Run the last statements of the work; only a caller that began it may run more."""
        return (await self._run(calls, commit=self._commits_last))[-1]

    async def run_and_commit(self, *calls: Call) -> list[Any]:
        """Run statements and commit in one round trip."""
        return (await self._run(calls, commit=True))[-1]

    async def _run(self, calls: Sequence[Call], *, commit: bool) -> list[list[Any]]:
        begin = [] if self._is_open else [(_BEGIN, _NOTHING)]
        own = [(_statement(prepared), values) for prepared, values in calls]
        end = [(_COMMIT, _NOTHING)] if commit else []
        self._is_open = True
        rows = await self._connection.rows_of([*begin, *own, *end])
        self._is_open = not commit
        return rows[len(begin) : len(begin) + len(own)]

    async def commit(self) -> None:
        if self._is_open:
            await self._connection.rows(_COMMIT, _NOTHING)
            self._is_open = False

    async def roll_back(self) -> None:
        """Roll back; a connection that cannot is closed, which does the same."""
        if self._is_open:
            try:
                await self._connection.rows(_ROLLBACK, _NOTHING)
            except BaseException:
                self._connection.close()
                raise


@cache
def _statement(prepared: Prepared) -> Statement:
    return Statement(prepared.plain)


class Pool:
    """Connections of one event loop, opened when they are first needed."""

    def __init__(self) -> None:
        self._idle: list[Connection] = []
        self._slots = asyncio.Semaphore(config.database().hot_pool_size)
        self._turns: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def connection(self, subject: object) -> AsyncIterator[Connection]:
        turn = self._turns.setdefault(subject, asyncio.Lock())
        if turn.locked() or self._slots.locked():
            try:
                async with asyncio.timeout(_POOL_TIMEOUT):
                    await self._wait_for(turn)
            except TimeoutError as error:
                raise PoolTimeout("no connection for a hot transaction became free") from error
        else:  # a timeout takes as long as all else here
            await self._wait_for(turn)
        try:
            connection = await self.take()
            try:
                yield connection
            finally:
                if not connection.is_closed:
                    self._idle.append(connection)
        finally:
            self._slots.release()
            turn.release()

    async def _wait_for(self, turn: asyncio.Lock) -> None:
        await turn.acquire()
        try:
            await self._slots.acquire()
        except BaseException:
            turn.release()
            raise

    async def take(self) -> Connection:
        """Return an idle connection or a new one."""
        while self._idle:
            found = self._idle.pop()
            if not found.is_closed:  # it sees at once that the server has closed it
                return found
        return await hot_reads.connect(APPLICATION_NAME, f"{database.options()} {_PLANS}")

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()


def _pool() -> Pool:
    return _pools.setdefault(asyncio.get_running_loop(), Pool())


@asynccontextmanager
async def begin(subject: object, *, commits_last: bool = False) -> AsyncIterator[Transaction]:
    """Commit at the end, if not before, and send the signals; roll back on any error.

    Transactions of one subject (a member) follow each other: those that would wait for its lock
    wait without a connection, and delay no other's.

    Errors of the database are those of SQLAlchemy, as everywhere else.
    """
    try:
        async with _pool().connection(subject) as connection:
            transaction = Transaction(connection, commits_last=commits_last)
            try:
                yield transaction
                await transaction.commit()
            except BaseException:
                with suppress(Error):
                    await transaction.roll_back()
                raise
    except Error as error:
        lost = isinstance(error, OperationalError) and error.sqlstate is None
        raise DBAPIError(None, None, error, connection_invalidated=lost) from error
    await commit_hooks.send_async(transaction.signals)


async def close() -> None:
    """Close the idle connections of this event loop."""
    _pool().close()
