"""The notification service: notifications and the live view.

INPUT   events (Celery tasks, in the worker), HTTP requests, WebSockets, the relay's channel
OUTPUT  notifications, and snapshots and changes on WebSockets
FLOW    event → recipients (who is notified) → templates (text) → one row per person and an event
        notification.created; the relay publishes every event → live.connection_manager sends it
        to the subscribed sockets
"""

from backend.notification.endpoints import ROUTERS
from backend.notification.live.lifespan import lifespan
from backend.shared.web.app import create_app

app = create_app(
    "notification-service",
    *ROUTERS,
    summary="Notifications and the live view",
    lifespan=lifespan,
)
