"""The rules of notifications: made once per event and person, read, forgotten."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.notification import queries
from backend.notification.service import templates
from backend.notification.service.recipients import MessageSpec, Recipients, messages_for
from backend.shared.events import Event, NotificationCreated
from backend.shared.infra import clock, ids
from backend.shared.messaging import outbox
from backend.shared.models import Notification, ProcessHeartbeat

# What a client needs to open the thing told of; no names, no codes.
_LINKS = ("request_id", "return_id", "task_id", "book_id", "robot_id", "job_id")


def mark_read(notification: Notification) -> Notification:
    """Reading again changes nothing: the first time stands."""
    if not notification.is_read:
        notification.is_read = True
        notification.read_at = clock.now()
    return notification


def mark_all_read(session: Session, user_id: UUID) -> int:
    """How many were unread."""
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
    """Tell whom the event concerns, each person once however often it comes."""
    rows = [
        _row(event, event_id, word, reader_id, language)
        for word in messages_for(event, stale=stale)
        for reader_id, language in _readers(session, event, word.audience)
    ]
    if not rows:
        return
    made = session.execute(
        insert(Notification)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["event_id", "user_id"])
        .returning(Notification)
    ).scalars()
    for notification in made.all():
        outbox.publish(session, _created(notification))


def notification_type(event: Event) -> str:
    """`delivery.task.assigned` is `DELIVERY_TASK_ASSIGNED`."""
    return event.TYPE.replace(".", "_").upper()


def _row(
    event: Event, event_id: UUID, word: MessageSpec, user_id: UUID, language: str
) -> dict[str, Any]:
    values = event.model_dump(mode="json")
    title, message = templates.words(word.template, language, values)
    return {
        "id": ids.uuid7(),
        "user_id": user_id,
        "event_id": event_id,
        "notification_type": notification_type(event),
        "title": title,
        "message": message,
        "payload": {name: values[name] for name in _LINKS if values.get(name)},
        "is_read": False,
        "created_at": clock.now(),
    }


def _readers(session: Session, event: Any, audience: Recipients) -> Sequence[Row[UUID, str]]:
    match audience:
        case Recipients.STAFF:
            return session.execute(queries.staff()).all()
        case Recipients.OWNER:
            return session.execute(queries.import_owner(event.job_id)).all()
        case Recipients.STUDENT:
            return session.execute(queries.reader(event.user_id)).all()


def _created(notification: Notification) -> NotificationCreated:
    return NotificationCreated(
        notification_id=notification.id,
        user_id=notification.user_id,
        notification_type=notification.notification_type,
        title=notification.title,
        message=notification.message,
        payload=notification.payload,
        created_at=notification.created_at,
    )


def note_round_trip(session: Session, sent_at: datetime) -> None:
    """Keep how long the synthetic event took round the whole chain, in milliseconds.

    One row for the system, part `watchdog`: readiness and the alert look at its age too.
    """
    now = clock.now()
    took = round((now - sent_at).total_seconds() * 1000)
    row = insert(ProcessHeartbeat).values(
        part="watchdog", instance="chain", since=now, at=now, details={"round_trip_ms": took}
    )
    session.execute(
        row.on_conflict_do_update(
            index_elements=["part", "instance"],
            set_={"at": row.excluded.at, "details": row.excluded.details},
            where=ProcessHeartbeat.at < row.excluded.at,
        )
    )
