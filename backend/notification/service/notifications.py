"""Rules of notifications: created once per event and user, marked as read, deleted."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Row, update
from sqlalchemy.orm import Session

from backend.notification import queries
from backend.notification.service import channels, preferences, templates, texts
from backend.notification.service.recipients import MessageSpec, Recipients, messages_for
from backend.shared.domain.circulation import notices
from backend.shared.events import DueDatesReminded, Event, NotificationCreated
from backend.shared.infra import clock, ids, request_context
from backend.shared.infra.database import Prepared
from backend.shared.infra.request_context import RequestContext
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
    "insert_notifications",
    f"""
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS rows (
            user_id uuid, cause uuid, kind text, title text, message text, links jsonb,
            created_at timestamptz,
            {outbox.JSON_COLUMNS})
    ), created AS (
        INSERT INTO notifications (id, user_id, event_id, notification_type, title, message,
            payload, is_read, created_at)
        SELECT aggregate_id, user_id, cause, kind, title, message, links, false, created_at
        FROM given
        ON CONFLICT (event_id, user_id) DO NOTHING RETURNING id
    ), new AS (
        SELECT given.* FROM given JOIN created ON created.id = given.aggregate_id
    ), {outbox.INSERT_EVENTS.format(of="new")}
    SELECT id FROM created
    """,  # noqa: S608 (constants of this module and of the outbox)
)


_Person = Row[*tuple[Any, ...]]  # of `queries.STUDENTS`


@dataclass(frozen=True)
class Draft:
    """A notification that is to be stored, how it reaches its recipient, and what caused it."""

    row: dict[str, Any]
    choice: preferences.Choice
    has_browser: bool
    cause: RequestContext = field(default_factory=request_context.current)


class Addressees:
    """The people whom events may concern, read by as few statements as possible."""

    def __init__(self, session: Session, events: Iterable[Event]) -> None:
        named = {getattr(event, "user_id", None) for event in events} - {None}
        rows = session.connection().execute(queries.STUDENTS, {"user_ids": list(named)})
        self._session = session
        self._students = {row.id: row for row in rows}

    @cached_property
    def _staff(self) -> Sequence[_Person]:
        return self._session.connection().execute(queries.ALL_STAFF).all()

    def of(self, event: Any, recipients: Recipients) -> Sequence[_Person]:
        """List the active users among the recipients of an event."""
        match recipients:
            case Recipients.STAFF:
                return self._staff
            case Recipients.OWNER:
                values = {"job_id": event.job_id}
                return self._session.connection().execute(queries.IMPORT_OWNER, values).all()
            case Recipients.STUDENT:
                student = self._students.get(event.user_id)
                return [] if student is None else [student]


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


def drafts_of(
    session: Session, people: Addressees, event: Event, event_id: UUID, *, stale: bool
) -> list[Draft]:
    """Write the notifications of an event: at most one per event and user.

    Each reaches its user on the channels that they have chosen. A digest of due dates leaves out
    the loans that were closed since.
    """
    if isinstance(event, DueDatesReminded):
        event = notices.still_open(session, event)
        if not event.loans:
            return []
    drafts: dict[UUID, Draft] = {}
    for spec in messages_for(event, stale=stale):
        for person in people.of(event, spec.recipients):
            if person.id not in drafts:
                row = _row(event, event_id, spec, person.id, person.language)
                choice = preferences.choose(person, row["notification_type"])
                drafts[person.id] = Draft(row, choice, person.has_browser)
    return list(drafts.values())


def store(session: Session, drafts: Sequence[Draft]) -> None:
    """Insert notifications with their events, unless an event has notified the user already."""
    shown = [_stored(draft) for draft in drafts if draft.choice.in_app]
    created: set[UUID] = set()
    if shown:
        rows = json.dumps(shown, default=str)
        created = set(_INSERT.run(session, {"rows": rows}).scalars())
    for draft in drafts:
        if draft.row["id"] in created or not draft.choice.in_app:
            with request_context.attributed_to(draft.cause):
                channels.plan(session, draft.row, draft.choice, has_browser=draft.has_browser)


def _stored(draft: Draft) -> dict[str, Any]:
    """Return the row of _INSERT; the event's aggregate is the notification."""
    row = draft.row
    with request_context.attributed_to(draft.cause):
        created = outbox.json_row_of(_created_event(row))
    return {
        **created,
        **{name: row[name] for name in ("user_id", "title", "message", "created_at")},
        "cause": row["event_id"],
        "kind": row["notification_type"],
        "links": row["payload"],
    }


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
