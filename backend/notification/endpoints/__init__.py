"""Routers of the notification service, one per resource."""

from backend.notification.endpoints import live_view, notifications, preferences

# Preferences first: `/notifications/{notification_id}` would match them.
ROUTERS = (live_view.router, preferences.router, notifications.router)
