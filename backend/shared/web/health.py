"""Endpoints inside the deployment: liveness, readiness of each dependency, metrics."""

import asyncio
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from backend.shared.infra import clock, hot_reads, logs, redis
from backend.shared.web import shutdown
from backend.shared.web.envelope import answer

_log = logs.get(__name__)
_MAX_WATCHDOG_AGE = timedelta(seconds=60)  # a synthetic event is sent every 30 seconds
# The watchdog's last round trip; the schema is complete where this can be read.
WATCHDOG = "SELECT (SELECT at FROM part_heartbeats WHERE part = 'watchdog') FROM live_position"


async def _read_watchdog() -> str | None:
    """Return whether events pass the chain in time; None when the database is not ready."""
    try:
        rows = await hot_reads.run(WATCHDOG, {})
    except (SQLAlchemyError, OSError):
        return None
    if not rows:
        return None
    (at,) = rows[0]
    if at is None:
        return "none"
    return "ok" if clock.now() - at < _MAX_WATCHDOG_AGE else "late"


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
        """Report 503 without the database and while draining; without Redis it is slower."""
        watchdog, redis_up = await asyncio.gather(_read_watchdog(), _redis_is_ready())
        database = watchdog is not None
        is_ready = database and not shutdown.is_draining()
        if not is_ready:
            response.status_code = 503
        checks = {
            "database": "ok" if database else "down",
            "redis": "ok" if redis_up else "down",
            "watchdog": watchdog or "unknown",
        }
        return answer({"part": part, "ready": is_ready, "checks": checks})

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return routes
