"""What the worker does for this service: notify, watch the chain, forget what is old."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from backend.notification import service
from backend.shared import clock, outbox, retention, subscribers, worker
from backend.shared.events import Event, WatchdogSent

_WATCHDOG = UUID("6c756e61-0000-7000-8000-000000000001")  # there is one chain


@worker.consumer(subscribers.NOTIFY)
def notify(session: Session, event: Event, delivery: worker.Delivery) -> None:
    """An event people should know of becomes their notifications."""
    service.notify(session, event, delivery.event_id, stale=delivery.stale)


@worker.consumer(subscribers.WATCHDOG)
def hear_watchdog(session: Session, event: WatchdogSent, delivery: worker.Delivery) -> None:
    """The synthetic event has come round."""
    del delivery
    service.note_round_trip(session, event.sent_at)


@worker.periodic("watchdog", timedelta(seconds=30))
def send_watchdog(session: Session) -> None:
    """Send a synthetic event round outbox, relay, Redis and Celery."""
    outbox.publish(session, WatchdogSent(watchdog_id=_WATCHDOG, sent_at=clock.now()))


@worker.periodic("retention", timedelta(minutes=5))
def forget_old_rows(session: Session) -> None:
    """Keep the tables that only grow from growing for ever."""
    retention.forget_old(session)
