"""The notification service: tells people what happens.

INPUT: events (through `tasks`, in the worker), people's reads, WebSockets, the relay's channel.
OUTPUT: notifications, and the live view of everything that changes.
FLOW: an event → `audience` says who is told → `templates` the words → one row a person and a
`notification.created`; the relay publishes every event → `live.hub` gives it to who watches.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from backend.notification.endpoints import notifications
from backend.notification.live.connection_manager import ConnectionManager
from backend.shared.web.app import create_app


@asynccontextmanager
async def _live_view(app: FastAPI) -> AsyncIterator[None]:
    app.state.hub = ConnectionManager()
    async with app.state.hub.running():
        yield


app = create_app(
    "notification-service",
    notifications.router,
    summary="Notifications and the live view",
    lifespan=_live_view,
)
