"""What is forgotten when: the tables that grow with every event are kept short.

Small batches, so that no lock is held for long; what is left over goes the next time. An event
that is not finished, and a dead letter, are never forgotten.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, delete, exists, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from backend.shared.events import NotificationCreated
from backend.shared.infra import clock, logs
from backend.shared.models import (
    IDEMPOTENCY_KEY_LIFE,
    AggregateSequence,
    EventRun,
    IdempotencyKey,
    Notification,
    OutboxEvent,
    PartHeartbeat,
    ProcessedEvent,
)

_log = logs.get(__name__)
_BATCH = 2000
_NOTIFICATIONS = timedelta(days=90)
_EVENTS = timedelta(days=14)
_HEARTBEATS = timedelta(days=1)


def forget_old(session: Session) -> dict[str, int]:
    """Delete at most a batch of old rows of each table; how many went, by table."""
    now = clock.now()
    events = now - _EVENTS
    forgotten = {
        "notifications": _forget(
            session, [Notification.id], [Notification.created_at < now - _NOTIFICATIONS]
        ),
        "outbox": _forget(
            session,
            [OutboxEvent.id],
            [OutboxEvent.created_at < events, OutboxEvent.acked_at.is_not(None)],
        ),
        "processed_events": _forget(
            session,
            [ProcessedEvent.event_id, ProcessedEvent.consumer],
            [ProcessedEvent.processed_at < events, _is_gone(ProcessedEvent.event_id)],
        ),
        "event_runs": _forget(
            session,
            [EventRun.event_id, EventRun.consumer],
            [EventRun.updated_at < events, _is_gone(EventRun.event_id)],
        ),
        "aggregate_sequences": _forget_sequences(session, events),
        "idempotency_keys": _forget(
            session,
            [IdempotencyKey.actor, IdempotencyKey.key],
            [IdempotencyKey.created_at < now - IDEMPOTENCY_KEY_LIFE],
        ),
        "part_heartbeats": _forget(
            session,
            [PartHeartbeat.part, PartHeartbeat.instance],
            [PartHeartbeat.at < now - _HEARTBEATS],
        ),
    }
    if any(forgotten.values()):
        _log.info("old rows are forgotten", **forgotten)
    return forgotten


def _is_gone(event_id: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    return ~exists().where(OutboxEvent.id == event_id)


def _forget(
    session: Session,
    key: Sequence[InstrumentedAttribute[Any]],
    old: Sequence[ColumnElement[bool]],
) -> int:
    table = key[0].class_
    batch = select(*key).where(*old).limit(_BATCH)
    result = session.execute(
        delete(table).where(tuple_(*key).in_(batch)).execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount


def _forget_sequences(session: Session, before: datetime) -> int:
    """Those of notifications, which have one event in all; ids of version 7 tell their age.

    Other things live on, and their next event has to follow on their last.
    """
    oldest_kept = UUID(int=int(before.timestamp() * 1000) << 80)
    return _forget(
        session,
        [AggregateSequence.aggregate_type, AggregateSequence.aggregate_id],
        [
            AggregateSequence.aggregate_type == NotificationCreated.AGGREGATE,
            AggregateSequence.aggregate_id < oldest_kept,
        ],
    )
