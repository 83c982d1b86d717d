"""Read what a client has missed since a position, from the outbox."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.notification.live import messages
from backend.notification.live.topics import Topic, name_of
from backend.shared.infra import clock
from backend.shared.models import OutboxEvent

WINDOW = timedelta(hours=24)
MAX_CHANGES = 100  # of a topic; a snapshot is shorter than more
_MAX_POSITIONS = 20_000  # read for a topic


@dataclass(frozen=True)
class Replay:
    """The messages of a topic after a position, up to `pos`."""

    pos: int
    texts: list[str]


def read(session: Session, topic: Topic, since: int, pos: int) -> Replay | None:
    """Read the changes after `since` up to `pos`; None when that is too long ago or too much."""
    if since == pos:
        return Replay(pos, [])
    if not 0 <= pos - since <= _MAX_POSITIONS or not _is_complete(session, since):
        return None
    rows = session.execute(
        select(OutboxEvent)
        .where(
            OutboxEvent.pos > since,
            OutboxEvent.pos <= pos,
            OutboxEvent.topics.contains([topic.channel]),
        )
        .order_by(OutboxEvent.pos)
        .limit(MAX_CHANGES + 1)
    ).scalars()
    texts = [messages.event(name_of(topic.channel), _envelope(row)) for row in rows]
    return Replay(pos, texts) if len(texts) <= MAX_CHANGES else None


def _is_complete(session: Session, since: int) -> bool:
    """Return whether no event after `since` is outside the window or deleted already."""
    first = session.execute(
        select(OutboxEvent.pos, OutboxEvent.created_at)
        .where(OutboxEvent.pos > since)
        .order_by(OutboxEvent.pos)
        .limit(1)
    ).one_or_none()
    return first is not None and first.pos == since + 1 and first.created_at > clock.now() - WINDOW


def _envelope(row: OutboxEvent) -> dict[str, Any]:
    return {
        "pos": row.pos,
        "eventType": row.event_type,
        "timestamp": clock.iso(row.created_at),
        "payload": row.payload,
    }
