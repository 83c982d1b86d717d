"""Endpoints inside the deployment: liveness, readiness of each dependency, metrics."""

import asyncio
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from backend.shared.infra import async_database, logs, redis
from backend.shared.web.envelope import answer

_log = logs.get(__name__)


async def _database_is_ready() -> bool:
    try:
        await async_database.read(_check_schema)
    except (SQLAlchemyError, OSError):
        return False
    return True


def _check_schema(connection: Connection) -> None:
    connection.execute(text("SELECT pos FROM live_position"))


async def _redis_is_ready() -> bool:
    with redis.suppress_errors():
        return bool(await redis.async_client().ping())
    return False


def router(part: str) -> APIRouter:
    """Create the routes; the gateway does not expose them."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/health/live")
    async def live() -> Any:
        return answer({"part": part, "state": "live"})

    @routes.get("/health/ready")
    async def ready(response: Response) -> Any:
        """Report 503 without the database; without Redis a service is slower but ready."""
        database, redis_up = await asyncio.gather(_database_is_ready(), _redis_is_ready())
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
