"""Rules of notifications: created once per event and user, marked as read, deleted."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, update
from sqlalchemy.orm import Session

from backend.notification import queries
from backend.notification.service import channels, preferences, templates, texts
from backend.notification.service.recipients import MessageSpec, Recipients, messages_for
from backend.shared.domain.circulation import notices
from backend.shared.events import DueDatesReminded, Event, NotificationCreated
from backend.shared.infra import clock, ids
from backend.shared.infra.database import Prepared
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
_INSERT = Prepared(
    "insert_notification",
    f"""
    WITH created AS (
        INSERT INTO notifications (id, user_id, event_id, notification_type, title, message,
            payload, is_read, created_at)
        VALUES (:id, :user_id, :cause, :kind, :title, :message,
            CAST(:links AS jsonb), false, :created_at)
        ON CONFLICT (event_id, user_id) DO NOTHING RETURNING id
    ), {outbox.INSERT_EVENT_IF_CREATED}
    SELECT count(*) FROM created
    """,  # noqa: S608 (constants of this module and of the outbox)
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
        for recipient in _recipients(session, event, spec.recipients):
            row = _row(event, event_id, spec, recipient.id, recipient.language)
            _notify(session, recipient, row)


def _notify(session: Session, recipient: Row[*tuple[Any, ...]], row: dict[str, Any]) -> None:
    """Insert a notification with its event unless this event has notified the user already."""
    choice = preferences.choose(recipient, row["notification_type"])
    if choice.in_app:
        values = {
            **outbox.row_of(_created_event(row)),
            **{name: row[name] for name in ("id", "user_id", "title", "message", "created_at")},
            "cause": row["event_id"],
            "kind": row["notification_type"],
            "links": json.dumps(row["payload"]),
        }
        if not _INSERT.run(session, values).scalar_one():
            return
    channels.plan(session, row, choice, has_browser=recipient.has_browser)


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


def _recipients(
    session: Session, event: Any, recipients: Recipients
) -> Sequence[Row[*tuple[Any, ...]]]:
    connection = session.connection()
    match recipients:
        case Recipients.STAFF:
            return connection.execute(queries.ALL_STAFF).all()
        case Recipients.OWNER:
            return connection.execute(queries.IMPORT_OWNER, {"job_id": event.job_id}).all()
        case Recipients.STUDENT:
            return connection.execute(queries.STUDENT, {"user_id": event.user_id}).all()


def _created_event(row: dict[str, Any]) -> NotificationCreated:
    return NotificationCreated(
        notification_id=row["id"],
        user_id=row["user_id"],
        notification_type=row["notification_type"],
        title=row["title"],
        message=row["message"],
        payload=row["payload"],
        created_at=row["created_at"],
    )
