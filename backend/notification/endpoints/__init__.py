"""Routers of the notification service, one per resource."""

from backend.notification.endpoints import live_view, notifications

ROUTERS = (live_view.router, notifications.router)
