"""Heartbeats of processes: a row that each running part renews every two seconds."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.shared.infra import async_database, clock, redis
from backend.shared.models import ProcessHeartbeat

INTERVAL = timedelta(seconds=2)


_TIMEOUT = timedelta(seconds=6)  # a longer silence of our own starts `since` anew


_alive: set[str] = set()  # the parts that run in this process


_INSTANCE = f"{socket.gethostname()}:{os.getpid()}"


def record(session: Session, part: str, details: dict[str, Any] | None = None) -> None:
    """Leave this part's sign of life; `since` holds as long as no sign was missed."""
    now = clock.now()
    row = insert(ProcessHeartbeat).values(
        part=part, instance=_INSTANCE, since=now, at=now, details=details or {}
    )
    unbroken = ProcessHeartbeat.at >= now - _TIMEOUT
    session.execute(
        row.on_conflict_do_update(
            index_elements=["part", "instance"],
            set_={
                "since": case((unbroken, ProcessHeartbeat.since), else_=row.excluded.since),
                "at": row.excluded.at,
                "details": row.excluded.details,
            },
        )
    )


def alive_since(session: Session, part: str) -> datetime | None:
    """Since when some instance of a part has been alive without a break; None while none is."""
    rows = session.execute(
        select(ProcessHeartbeat.since).where(
            ProcessHeartbeat.part == part, ProcessHeartbeat.at >= clock.now() - _TIMEOUT
        )
    ).scalars()
    return min(rows, default=None)


@asynccontextmanager
async def run(part: str) -> AsyncIterator[None]:
    """Beat in the background as long as the app runs; the last one out closes the connections.

    Services that share a process (tests) share its connections: closing one that another still
    reads from waits for ever.
    """
    _alive.add(part)

    async def renew() -> None:
        while True:
            with suppress(SQLAlchemyError, OSError):
                await async_database.run(record, part)
            await asyncio.sleep(INTERVAL.total_seconds())

    task = asyncio.create_task(renew())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        _alive.discard(part)
        if not _alive:
            await async_database.engine().dispose()
            await redis.close_async()
