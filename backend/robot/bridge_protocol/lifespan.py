"""Background work of the robot service: long polls and the watch over unconfirmed stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from backend.robot.bridge_protocol.long_poll import POLLS
from backend.robot.service import emergency_stop
from backend.shared.infra import async_database
from backend.shared.web import shutdown

_STOP_CHECK_INTERVAL = 0.5  # seconds


async def _check_unconfirmed_stops() -> None:
    """Alert staff about stops without proof; here, so that a dead worker delays no alert."""
    while True:
        with suppress(SQLAlchemyError, OSError):
            await async_database.run(emergency_stop.alert_unconfirmed)
        await asyncio.sleep(_STOP_CHECK_INTERVAL)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Run the background work as long as the application runs."""
    POLLS.open()
    shutdown.on_stop(POLLS.close)
    running = [
        asyncio.create_task(work)
        for work in (POLLS.listener.run(), POLLS.look(), _check_unconfirmed_stops())
    ]
    try:
        yield
    finally:
        POLLS.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
