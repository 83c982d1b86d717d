"""Alerts: what needs a person."""

from datetime import datetime
from uuid import UUID

from backend.shared.events.base import RegisteredEvent
from backend.shared.models import AlertKind, AlertSeverity


class AlertEvent(RegisteredEvent):
    """An alert with its whole present state, without what a member wrote."""

    SOURCE = "delivery-service"
    AGGREGATE = "alert"
    alert_id: UUID
    kind: AlertKind
    severity: AlertSeverity
    message: str
    task_id: UUID | None
    robot_id: UUID | None
    count: int
    first_at: datetime
    last_at: datetime
    claimed_by: UUID | None
    resolved_at: datetime | None


class AlertRaised(AlertEvent):
    """A fault was reported: a new alert, or an open one once more."""

    TYPE = "delivery.alert.raised"


class AlertClaimed(AlertEvent):
    """A member of staff took the alert; without `claimed_by`, gave it back."""

    TYPE = "delivery.alert.claimed"


class AlertResolved(AlertEvent):
    """The alert ended: by a person, or because the fault is gone."""

    TYPE = "delivery.alert.resolved"
