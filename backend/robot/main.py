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

from backend.robot import bridge, endpoints, robots, stops
from backend.robot.polls import POLLS
from backend.shared import drain, fastlane
from backend.shared.http import create_app

_STOP_WATCH_SECONDS = 0.5


async def _watch_stops() -> None:
    """Here and not in the worker: a dead worker delays nothing that is safety's."""
    while True:
        with suppress(SQLAlchemyError, OSError):
            await fastlane.run(stops.alert_unconfirmed)
        await asyncio.sleep(_STOP_WATCH_SECONDS)


@asynccontextmanager
async def _life(_: FastAPI) -> AsyncIterator[None]:
    POLLS.open()
    drain.on_stop(POLLS.close)
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
    endpoints.router,
    robots.router,
    bridge.router,
    summary="Robots, their map, their commands and their emergency stop",
    lifespan=_life,
)
