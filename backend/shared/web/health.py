"""Liveness, readiness (each dependency by name), metrics, and the heartbeat each part leaves."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import case, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.shared.infra import async_database, clock, logs, redis
from backend.shared.models import PartHeartbeat
from backend.shared.web.schemas import answer

_log = logs.get(__name__)
BEAT = timedelta(seconds=2)
_BREAK = timedelta(seconds=6)  # a longer silence of our own starts `since` anew
_alive: set[str] = set()  # the parts that run in this process
_INSTANCE = f"{socket.gethostname()}:{os.getpid()}"


def beat(session: Session, part: str, details: dict[str, Any] | None = None) -> None:
    """Leave this part's sign of life; `since` holds as long as no sign was missed."""
    now = clock.now()
    row = insert(PartHeartbeat).values(
        part=part, instance=_INSTANCE, since=now, at=now, details=details or {}
    )
    unbroken = PartHeartbeat.at >= now - _BREAK
    session.execute(
        row.on_conflict_do_update(
            index_elements=["part", "instance"],
            set_={
                "since": case((unbroken, PartHeartbeat.since), else_=row.excluded.since),
                "at": row.excluded.at,
                "details": row.excluded.details,
            },
        )
    )


def heard_since(session: Session, part: str) -> datetime | None:
    """Since when some instance of a part has been alive without a break; None while none is."""
    rows = session.execute(
        select(PartHeartbeat.since).where(
            PartHeartbeat.part == part, PartHeartbeat.at >= clock.now() - _BREAK
        )
    ).scalars()
    return min(rows, default=None)


@asynccontextmanager
async def heartbeat(part: str) -> AsyncIterator[None]:
    """Beat in the background as long as the app runs; the last one out closes the connections.

    Services that share a process (tests) share its connections: closing one that another still
    reads from waits for ever.
    """
    _alive.add(part)

    async def beating() -> None:
        while True:
            with suppress(SQLAlchemyError, OSError):
                await async_database.run(beat, part)
            await asyncio.sleep(BEAT.total_seconds())

    task = asyncio.create_task(beating())
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


async def _database_answers() -> bool:
    try:
        await async_database.run(_schema_is_there)
    except (SQLAlchemyError, OSError):
        return False
    return True


def _schema_is_there(session: Session) -> None:
    session.execute(text("SELECT pos FROM live_position"))


async def _redis_answers() -> bool:
    with redis.guarded():
        return bool(await redis.async_client().ping())
    return False


def router(part: str) -> APIRouter:
    """`/health/live`, `/health/ready`, `/metrics`: inside only, the gateway does not route them."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/health/live")
    async def live() -> Any:
        return answer({"part": part, "state": "live"})

    @routes.get("/health/ready")
    async def ready(response: Response) -> Any:
        """Ready when the database answers; without Redis a service is slower, not unready."""
        database, redis_up = await asyncio.gather(_database_answers(), _redis_answers())
        if not database:
            response.status_code = 503
        checks = {
            "database": "ok" if database else "down",
            "redis": "ok" if redis_up else "down",
        }
        return answer({"part": part, "ready": database, "checks": checks})

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return routes
