"""What the worker does for this service: notify, watch the chain, forget what is old."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from backend.notification.service import notifications
from backend.shared.events import Event, WatchdogSent
from backend.shared.infra import clock
from backend.shared.messaging import inbox, outbox, retention, scheduler, subscriptions

_WATCHDOG = UUID("6c756e61-0000-7000-8000-000000000001")  # there is one chain


@inbox.consumer(subscriptions.NOTIFY)
def notify(session: Session, event: Event, delivery: inbox.EventContext) -> None:
    """An event people should know of becomes their notifications."""
    notifications.notify(session, event, delivery.event_id, stale=delivery.stale)


@inbox.consumer(subscriptions.WATCHDOG)
def hear_watchdog(session: Session, event: WatchdogSent, delivery: inbox.EventContext) -> None:
    """The synthetic event has come round."""
    del delivery
    notifications.note_round_trip(session, event.sent_at)


@scheduler.periodic("watchdog", timedelta(seconds=30))
def send_watchdog(session: Session) -> None:
    """Send a synthetic event round outbox, relay, Redis and Celery."""
    outbox.publish(session, WatchdogSent(watchdog_id=_WATCHDOG, sent_at=clock.now()))


@scheduler.periodic("retention", timedelta(minutes=5))
def forget_old_rows(session: Session) -> None:
    """Keep the tables that only grow from growing for ever."""
    retention.delete_expired(session)
