"""Liveness, readiness (each dependency by name), metrics, and the heartbeat each part leaves."""

import asyncio
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.shared.infra import async_database, logs, redis
from backend.shared.web.envelope import answer

_log = logs.get(__name__)


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
