"""Retention: delete expired rows of the tables that grow with every event.

In small batches, so that no lock is held for long; the next run continues. Unfinished events and
dead letters are never deleted.
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
    AccountToken,
    AggregateSequence,
    EventRun,
    IdempotencyKey,
    KnownDevice,
    LoginChallenge,
    Notification,
    OutboxEvent,
    ProcessedEvent,
    ProcessHeartbeat,
    SignInFailures,
    WsTicket,
)

_log = logs.get(__name__)
_BATCH = 2000
_NOTIFICATIONS = timedelta(days=90)
_EVENTS = timedelta(days=14)
_FAILURES = timedelta(days=30)  # since the last one
_HEARTBEATS = timedelta(days=1)


def delete_expired(session: Session) -> dict[str, int]:
    """Delete at most one batch of expired rows per table; return the numbers by table."""
    now = clock.now()
    events = now - _EVENTS
    deleted = {
        "notifications": _delete_batch(
            session, [Notification.id], [Notification.created_at < now - _NOTIFICATIONS]
        ),
        "outbox": _delete_batch(
            session,
            [OutboxEvent.id],
            [OutboxEvent.created_at < events, OutboxEvent.acked_at.is_not(None)],
        ),
        "processed_events": _delete_batch(
            session,
            [ProcessedEvent.event_id, ProcessedEvent.consumer],
            [ProcessedEvent.processed_at < events, _is_deleted(ProcessedEvent.event_id)],
        ),
        "event_runs": _delete_batch(
            session,
            [EventRun.event_id, EventRun.consumer],
            [EventRun.updated_at < events, _is_deleted(EventRun.event_id)],
        ),
        "aggregate_sequences": _delete_sequences(session, events),
        "idempotency_keys": _delete_batch(
            session,
            [IdempotencyKey.actor, IdempotencyKey.key],
            [IdempotencyKey.created_at < now - IDEMPOTENCY_KEY_LIFE],
        ),
        **_delete_of_accounts(session, now),
        "ws_tickets": _delete_batch(session, [WsTicket.ticket_hash], [WsTicket.expires_at < now]),
        "part_heartbeats": _delete_batch(
            session,
            [ProcessHeartbeat.part, ProcessHeartbeat.instance],
            [ProcessHeartbeat.at < now - _HEARTBEATS],
        ),
    }
    if any(deleted.values()):
        _log.info("deleted expired rows", **deleted)
    return deleted


def _delete_of_accounts(session: Session, now: datetime) -> dict[str, int]:
    expiring: dict[str, tuple[InstrumentedAttribute[Any], ColumnElement[bool]]] = {
        "known_devices": (KnownDevice.id, KnownDevice.expires_at < now),
        "account_tokens": (AccountToken.id, AccountToken.expires_at < now),
        "login_challenges": (LoginChallenge.challenge_hash, LoginChallenge.expires_at < now),
        "sign_in_failures": (SignInFailures.subject, SignInFailures.updated_at < now - _FAILURES),
    }
    return {name: _delete_batch(session, [key], [old]) for name, (key, old) in expiring.items()}


def _is_deleted(event_id: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    return ~exists().where(OutboxEvent.id == event_id)


def _delete_batch(
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


def _delete_sequences(session: Session, before: datetime) -> int:
    """Delete the sequences of notifications: they have one event, and their UUIDv7 has the time.

    Other aggregates may have further events, which must continue their sequence.
    """
    oldest_kept = UUID(int=int(before.timestamp() * 1000) << 80)
    return _delete_batch(
        session,
        [AggregateSequence.aggregate_type, AggregateSequence.aggregate_id],
        [
            AggregateSequence.aggregate_type == NotificationCreated.AGGREGATE,
            AggregateSequence.aggregate_id < oldest_kept,
        ],
    )
