"""Rules of notifications: created once per event and user, marked as read, deleted."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.notification import queries
from backend.notification.service import channels, preferences, templates, texts
from backend.notification.service.recipients import MessageSpec, Recipients, messages_for
from backend.shared.domain.circulation import notices
from backend.shared.events import DueDatesReminded, Event, NotificationCreated
from backend.shared.infra import clock, ids
from backend.shared.messaging import outbox
from backend.shared.models import Notification

# Ids by which a client opens the resource of a notification; no names, no codes.
_LINK_FIELDS = (
    "request_id",
    "return_id",
    "task_id",
    "book_id",
    "robot_id",
    "job_id",
    "hold_id",
    "loan_ids",
)


def mark_read(notification: Notification) -> Notification:
    """Mark as read; a repeated call keeps the first `read_at`."""
    if not notification.is_read:
        notification.is_read = True
        notification.read_at = clock.now()
    return notification


def mark_all_read(session: Session, user_id: UUID) -> int:
    """Mark all as read; return how many were unread."""
    marked = session.execute(
        update(Notification)
        .where(Notification.user_id == user_id, Notification.is_read.is_(False))
        .values(is_read=True, read_at=clock.now())
        .returning(Notification.id)
    )
    return len(marked.all())


def delete(session: Session, notification: Notification) -> None:
    session.delete(notification)


def notify(session: Session, event: Event, event_id: UUID, *, stale: bool) -> None:
    """Create the notifications of an event: at most one per event and user.

    Each reaches its user on the channels that they have chosen. A digest of due dates leaves out
    the loans that were closed since.
    """
    if isinstance(event, DueDatesReminded):
        event = notices.still_open(session, event)
        if not event.loans:
            return
    for spec in messages_for(event, stale=stale):
        for user_id, language in _recipients(session, event, spec.recipients):
            _notify(session, _row(event, event_id, spec, user_id, language))


def _notify(session: Session, row: dict[str, Any]) -> None:
    choice = preferences.choose(session, row["user_id"], row["notification_type"])
    if choice.in_app:
        created = session.execute(
            insert(Notification)
            .values(row)
            .on_conflict_do_nothing(index_elements=["event_id", "user_id"])
            .returning(Notification)
        ).scalar_one_or_none()
        if created is None:
            return
        outbox.publish(session, _created_event(created))
    channels.plan(session, Notification(**row), choice)


def notification_type(event: Event) -> str:
    """Return the event's type in UPPER_SNAKE: `DELIVERY_TASK_ASSIGNED`."""
    return event.TYPE.replace(".", "_").upper()


def _row(
    event: Event, event_id: UUID, spec: MessageSpec, user_id: UUID, language: str
) -> dict[str, Any]:
    values = texts.values_of(event, language)
    title, message = templates.render(spec.template, language, values)
    return {
        "id": ids.uuid7(),
        "user_id": user_id,
        "event_id": event_id,
        "notification_type": notification_type(event),
        "title": title,
        "message": message,
        "payload": {name: values[name] for name in _LINK_FIELDS if values.get(name)},
        "is_read": False,
        "created_at": clock.now(),
    }


def _recipients(session: Session, event: Any, recipients: Recipients) -> Sequence[Row[UUID, str]]:
    match recipients:
        case Recipients.STAFF:
            return session.execute(queries.staff()).all()
        case Recipients.OWNER:
            return session.execute(queries.import_owner(event.job_id)).all()
        case Recipients.STUDENT:
            return session.execute(queries.active_user(event.user_id)).all()


def _created_event(notification: Notification) -> NotificationCreated:
    return NotificationCreated(
        notification_id=notification.id,
        user_id=notification.user_id,
        notification_type=notification.notification_type,
        title=notification.title,
        message=notification.message,
        payload=notification.payload,
        created_at=notification.created_at,
    )
