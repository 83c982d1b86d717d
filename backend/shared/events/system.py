"""Notifications, dead letters, and the synthetic event of the watchdog."""

from datetime import datetime
from typing import Any
from uuid import UUID

from backend.shared.events.base import RegisteredEvent


class NotificationCreated(RegisteredEvent):
    """A user has a new notification."""

    TYPE = "notification.created"
    SOURCE = "notification-service"
    AGGREGATE = "notification"
    notification_id: UUID
    user_id: UUID
    notification_type: str
    title: str
    message: str
    payload: dict[str, Any]
    created_at: datetime


class NotificationQueued(RegisteredEvent):
    """A notification is to leave by push or mail."""

    TYPE = "notification.queued"
    SOURCE = "notification-service"
    AGGREGATE = "delivery"
    delivery_id: UUID


class EventDeadLettered(RegisteredEvent):
    """An event failed too often and is a dead letter until staff retry it."""

    TYPE = "system.event.died"
    SOURCE = "celery-worker"
    AGGREGATE = "event"
    event_id: UUID
    event_type: str
    consumer: str
    error: str | None


class WatchdogLate(RegisteredEvent):
    """No synthetic event has passed the event chain for too long; published once an outage."""

    TYPE = "system.watchdog.late"
    SOURCE = "scheduler"
    AGGREGATE = "watchdog"
    watchdog_id: UUID
    last_at: datetime


class WatchdogSent(RegisteredEvent):
    """A synthetic event that passes through the whole event chain."""

    TYPE = "system.watchdog.sent"
    SOURCE = "scheduler"
    AGGREGATE = "watchdog"
    watchdog_id: UUID
    sent_at: datetime
