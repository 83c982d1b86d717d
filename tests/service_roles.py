"""Run the code of each service with the database role of that service.

The tests' process holds all services and signs in as the operator, a member of every role. A
connection takes the role of the service that is running when it leaves its pool.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

import psycopg2
from psycopg import Error
from sqlalchemy import Pool, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from backend.shared.infra import hot_reads
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
    lend = hot_reads.Pool.run_once
    roles: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

    async def run_once(pool: Any, sql: str, parameters: dict[str, Any]) -> list[Any]:
        idle, role = pool._idle, _ROLE.get()  # noqa: SLF001 (its connections, nothing else)
        connection = idle.pop() if idle else await hot_reads._connect()  # noqa: SLF001 (likewise)
        if roles.get(connection) != role:
            with suppress(Error):  # a lost connection, which the pool replaces
                await connection.execute(f"SET ROLE {role}")
                roles[connection] = role
        idle.append(connection)  # the next that is lent
        return await lend(pool, sql, parameters)

    hot_reads.Pool.run_once = run_once  # type: ignore[method-assign, assignment]  # in tests alone


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
