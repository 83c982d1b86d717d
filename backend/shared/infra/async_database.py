"""Database access from the event loop: authentication, emergency stop, heartbeats, WebSocket.

Runs the same functions of a `Session` as the threads do, on a small connection pool of its own, so
that blocked threads cannot delay a stop. See docs/decisions/0003-asynchronous-edge.md.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from backend.shared.infra import commit_hooks, config, measured_pools

P = ParamSpec("P")
R = TypeVar("R")


def engine() -> AsyncEngine:
    return _engine(config.database().fast_pool_size)


def _reserved_engine() -> AsyncEngine:
    return _engine(config.STOP_CONNECTIONS, "reserved")


async def close() -> None:
    """Close the connections of the event loop; nothing may use them any more."""
    for opened in (engine(), _reserved_engine()):
        await opened.dispose()


@cache
def _engine(size: int, _name: str = "") -> AsyncEngine:
    settings = config.database()
    url = settings.database_url.replace("postgresql+psycopg2://", "postgresql+psycopg://", 1)
    return create_async_engine(
        url,
        poolclass=measured_pools.LoopPool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 3,
            "options": "-c lock_timeout=3000 -c statement_timeout=5000 -c timezone=UTC",
        },
    )


@asynccontextmanager
async def _transaction(using: AsyncEngine) -> AsyncIterator[AsyncSession]:
    async with AsyncSession(using, expire_on_commit=False) as session:
        async with session.begin():
            yield session
        await commit_hooks.send_async(commit_hooks.of(session.sync_session))


async def run(rule: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a rule in a transaction of its own, committed when this returns."""
    async with _transaction(engine()) as session:
        return await session.run_sync(rule, *args, **kwargs)


async def run_reserved(
    rule: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """Run a rule of an emergency stop on connections that nothing else uses."""
    async with _transaction(_reserved_engine()) as session:
        return await session.run_sync(rule, *args, **kwargs)


async def read(
    query: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """Run a query without a transaction: one round trip for one select."""
    reading = engine().execution_options(isolation_level="AUTOCOMMIT")
    async with reading.connect() as connection:
        return await connection.run_sync(query, *args, **kwargs)
