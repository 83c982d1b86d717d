"""The robot service.

INPUT   staff: status, map, emergency stop; admins: robots and keys; bridges: heartbeats, reports
OUTPUT  commands to bridges, the stop; events robot.*
FLOW    endpoints (staff), robots (admins), bridge (robots, asynchronous) → stops, commands,
        sessions, registry, maps → outbox → tasks (dispatch, leases, silence)
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from backend.robot.bridge_protocol.long_poll import POLLS
from backend.robot.endpoints import bridge, fleet, robots
from backend.robot.service import emergency_stop
from backend.shared.infra import async_database
from backend.shared.web import shutdown
from backend.shared.web.app import create_app

_STOP_WATCH_SECONDS = 0.5


async def _watch_stops() -> None:
    """Here and not in the worker: a dead worker delays nothing that is safety's."""
    while True:
        with suppress(SQLAlchemyError, OSError):
            await async_database.run(emergency_stop.alert_unconfirmed)
        await asyncio.sleep(_STOP_WATCH_SECONDS)


@asynccontextmanager
async def _life(_: FastAPI) -> AsyncIterator[None]:
    POLLS.open()
    shutdown.on_stop(POLLS.close)
    running = [
        asyncio.create_task(work) for work in (POLLS.listener.run(), POLLS.look(), _watch_stops())
    ]
    try:
        yield
    finally:
        POLLS.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


app = create_app(
    "robot-service",
    fleet.router,
    robots.router,
    bridge.router,
    summary="Robots, their map, their commands and their emergency stop",
    lifespan=_life,
)
