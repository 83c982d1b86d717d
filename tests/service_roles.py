"""Run the code of each service with the database role of that service.

The tests' process holds all services and signs in as the operator, a member of every role. A
connection takes the role of the service that is running when it leaves its pool.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import psycopg2
from psycopg import Error
from sqlalchemy import Pool, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from backend.shared.infra import hot_reads, hot_transactions
from backend.shared.infra.hot_reads.connection import Connection, Statement
from backend.shared.infra.measured_pools import ThreadPool
from backend.shared.infra.services import OPERATOR_ROLE, database_role

_ROLE: ContextVar[str] = ContextVar("database role", default=OPERATOR_ROLE)


@contextmanager
def running_as(program: str) -> Iterator[None]:
    """Use the role of a service, or of the worker, for the statements of this context."""
    before = _ROLE.set(database_role(program))
    try:
        yield
    finally:
        _ROLE.reset(before)


def install() -> None:
    """Let pools switch the role of a connection that they lend."""
    event.listen(Pool, "checkout", _switch)
    _lend_by_role()
    lend, take = hot_reads.Pool.run_once, hot_transactions.Pool.take
    roles: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    async def switch(connection: Connection) -> None:
        role = _ROLE.get()
        if roles.get(connection) != role:
            with suppress(Error):  # a lost connection, which the pool replaces
                await connection.rows(_switch_to(role), {})
                roles[connection] = role

    async def run_once(pool: Any, statement: Statement, parameters: dict[str, Any]) -> list[Any]:
        idle = pool._idle  # noqa: SLF001 (its connections, nothing else)
        connection = idle.pop() if idle else await hot_reads.connect()
        await switch(connection)
        idle.append(connection)  # the next that is lent
        return await lend(pool, statement, parameters)

    async def taken(pool: Any) -> Connection:
        connection = await take(pool)
        await switch(connection)
        return connection

    hot_reads.Pool.run_once = run_once  # type: ignore[method-assign, assignment]  # in tests alone
    hot_transactions.Pool.take = taken  # type: ignore[method-assign, assignment]  # likewise


def _lend_by_role() -> None:
    """Lend threads a connection that has their role, if one is idle or may still be opened."""
    lend = ThreadPool._do_get  # noqa: SLF001 (its idle connections, here and below)

    def lend_own(pool: Any) -> ConnectionPoolEntry:
        role, idle = _ROLE.get(), pool._pool  # noqa: SLF001 (likewise)
        with idle.mutex:
            own = next((each for each in idle.queue if each.info.get("role") == role), None)
            if own is not None:
                idle.queue.remove(own)
                idle.queue.appendleft(own)  # the next that is lent
        if own is None and pool._inc_overflow():  # noqa: SLF001 (likewise)
            try:
                made: ConnectionPoolEntry = pool._create_connection()  # noqa: SLF001 (likewise)
            except BaseException:
                pool._dec_overflow()  # noqa: SLF001 (likewise)
                raise
            return made
        return lend(pool)

    # in tests alone
    ThreadPool._do_get = lend_own  # type: ignore[method-assign, assignment]  # noqa: SLF001


@cache
def _switch_to(role: str) -> Statement:
    return Statement(f"SET ROLE {role}")


def _switch(lent: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: object) -> None:
    driver = entry.driver_connection
    if driver is None or driver.info.user != OPERATOR_ROLE:
        return  # the owner's or the superuser's, of a test
    role = _ROLE.get()
    if entry.info.get("role") != role:
        cursor = lent.cursor()
        try:
            lent.autocommit = True  # one round trip; without, the statement begins a transaction
            cursor.execute(f"SET ROLE {role}")
            lent.autocommit = False
        except (Error, psycopg2.Error) as error:
            raise DisconnectionError from error  # the pool replaces it
        cursor.close()
        entry.info["role"] = role
