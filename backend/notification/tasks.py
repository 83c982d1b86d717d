"""Celery tasks of the notification service."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from backend.notification.service import channels, notifications, watchdog
from backend.shared.events import NotificationQueued, WatchdogLate, WatchdogSent
from backend.shared.infra import clock, logs
from backend.shared.messaging import inbox, outbox, scheduler, subscriptions
from backend.shared.messaging.retention import expired_rows, finished_tasks, partitions

_log = logs.get(__name__)
_WATCHDOG_ID = UUID("6c756e61-0000-7000-8000-000000000001")  # one for the system


@inbox.batch_consumer(subscriptions.NOTIFY)
def notify(session: Session, received: Sequence[inbox.Received]) -> None:
    """Create the notifications of events."""
    people = notifications.Addressees(session, [each.event for each in received])
    drafts = []
    for each in received:
        with inbox.processing(subscriptions.NOTIFY, each):
            context = each.context
            drafts += notifications.drafts_of(
                session, people, each.event, context.event_id, stale=context.stale
            )
    notifications.store(session, drafts)


@inbox.consumer(subscriptions.DELIVER)
def deliver(session: Session, event: NotificationQueued, _context: inbox.EventContext) -> None:
    """Send a notification by push or mail."""
    channels.send(session, event.delivery_id)


@scheduler.periodic("notification.send_due", timedelta(seconds=30))
def send_due(session: Session) -> None:
    """Send what waited for the end of quiet hours, or failed before."""
    channels.send_due(session)


@inbox.consumer(subscriptions.WATCHDOG)
def record_watchdog(session: Session, event: WatchdogSent, _context: inbox.EventContext) -> None:
    """Record the round trip of the synthetic event."""
    watchdog.record_round_trip(session, event.sent_at)


@scheduler.periodic("watchdog", timedelta(seconds=30))
def send_watchdog(session: Session) -> None:
    """Send a synthetic event through outbox, relay, Redis and Celery; alert when none came back."""
    late = watchdog.mark_late(session)
    if late is not None:
        outbox.publish(session, WatchdogLate(watchdog_id=_WATCHDOG_ID, last_at=late))
    outbox.publish(session, WatchdogSent(watchdog_id=_WATCHDOG_ID, sent_at=clock.now()))


@scheduler.periodic("retention", timedelta(minutes=5))
def delete_expired_rows(session: Session) -> None:
    """Delete rows past their retention time."""
    expired_rows.delete(session)


@scheduler.periodic("retention.history", timedelta(hours=1))
def delete_history(session: Session) -> None:
    """Make partitions ahead, drop expired ones, and delete finished tasks and old history."""
    deleted = partitions.maintain(session) | finished_tasks.delete(session)
    if any(deleted.values()):
        _log.info("deleted history", **deleted)
