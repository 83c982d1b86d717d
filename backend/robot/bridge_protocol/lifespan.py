"""Background work of the robot service: long polls, and stops that are to be completed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy.exc import SQLAlchemyError

from backend.robot.bridge_protocol import due_writes, live_copies, stop_orders
from backend.robot.bridge_protocol.fleet_snapshot import SNAPSHOT
from backend.robot.bridge_protocol.long_poll import LONG_POLLS
from backend.robot.service import emergency_stop, stop_effects
from backend.shared.infra import async_database, background, hot_reads
from backend.shared.web import shutdown

_STOP_CHECK_INTERVAL = 0.5  # seconds


async def _complete_stops() -> None:
    """Let rows follow their latches and alert staff about unconfirmed stops.

    Not in the worker, whose failure would delay both. One read decides whether there is work.
    """
    while True:
        with suppress(SQLAlchemyError, OSError):
            (row,) = await hot_reads.run(stop_effects.HAS_WORK, {})
            if row.has_work:
                await stop_orders.follow_latches()
                await async_database.run(emergency_stop.alert_unconfirmed)
        await asyncio.sleep(_STOP_CHECK_INTERVAL)


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Run the background work as long as the application runs."""
    LONG_POLLS.open()
    shutdown.on_shutdown(LONG_POLLS.close)
    running = background.start(
        LONG_POLLS.listener.run,
        LONG_POLLS.refresh_snapshot,
        _complete_stops,
        live_copies.write_batches,
        due_writes.write_batches,
    )
    try:
        yield
    finally:
        LONG_POLLS.close()
        await stop_orders.finish()
        await background.end(running)
        await SNAPSHOT.finish()
