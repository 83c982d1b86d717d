"""Delete expired rows of the tables that grow with every event or sign-in.

In small batches, so that no lock is held for long; the next run continues. Unfinished events and
dead letters are never deleted.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, exists, select, tuple_
from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import InstrumentedAttribute, Session

from backend.shared.events import NotificationCreated
from backend.shared.infra import clock, config, logs
from backend.shared.models import (
    IDEMPOTENCY_KEY_LIFE,
    AccountToken,
    AggregateSequence,
    EventRun,
    IdempotencyKey,
    ImportJob,
    KnownDevice,
    LoginChallenge,
    NoticeDay,
    Notification,
    NotificationDelivery,
    OutboxEvent,
    ProcessedEvent,
    ProcessHeartbeat,
    SignInFailures,
    UserSession,
    WsTicket,
)

_log = logs.get(__name__)
_BATCH = 2000
_NOTICE_DAYS = timedelta(days=7)
_FAILURES = timedelta(days=30)  # since the last one
_HEARTBEATS = timedelta(days=1)


def delete(session: Session) -> dict[str, int]:
    """Delete at most one batch of expired rows per table; return the numbers by table."""
    now = clock.now()
    deleted = {
        **_delete_events(session, now),
        **_delete_by_age(session, now),
        "idempotency_keys": _delete_batch(
            session,
            [IdempotencyKey.actor, IdempotencyKey.key],
            [IdempotencyKey.created_at < now - IDEMPOTENCY_KEY_LIFE],
        ),
        "part_heartbeats": _delete_batch(
            session,
            [ProcessHeartbeat.part, ProcessHeartbeat.instance],
            [ProcessHeartbeat.at < now - _HEARTBEATS],
        ),
    }
    if any(deleted.values()):
        _log.info("deleted expired rows", **deleted)
    return deleted


def _delete_events(session: Session, now: datetime) -> dict[str, int]:
    before = now - config.retention().keep_events
    return {
        "outbox": _delete_batch(
            session,
            [OutboxEvent.id],
            [OutboxEvent.created_at < before, OutboxEvent.acked_at.is_not(None)],
        ),
        "processed_events": _delete_batch(
            session,
            [ProcessedEvent.event_id, ProcessedEvent.consumer],
            [ProcessedEvent.processed_at < before, _is_deleted(ProcessedEvent.event_id)],
        ),
        "event_runs": _delete_batch(
            session,
            [EventRun.event_id, EventRun.consumer],
            [EventRun.updated_at < before, _is_deleted(EventRun.event_id)],
        ),
        "aggregate_sequences": _delete_sequences(session, before),
    }


def _delete_by_age(session: Session, now: datetime) -> dict[str, int]:
    settings = config.retention()
    expiring: dict[str, tuple[InstrumentedAttribute[Any], ColumnElement[bool]]] = {
        "known_devices": (KnownDevice.id, KnownDevice.expires_at < now),
        "account_tokens": (AccountToken.id, AccountToken.expires_at < now),
        "login_challenges": (LoginChallenge.challenge_hash, LoginChallenge.expires_at < now),
        "sessions": (UserSession.id, UserSession.expires_at < now - settings.keep_sessions),
        "ws_tickets": (WsTicket.ticket_hash, WsTicket.expires_at < now),
        "notifications": (
            Notification.id,
            Notification.created_at < now - settings.keep_notifications,
        ),
        "notification_deliveries": (
            NotificationDelivery.id,
            NotificationDelivery.created_at < now - settings.keep_notifications,
        ),
        "notice_days": (NoticeDay.user_id, NoticeDay.day < (now - _NOTICE_DAYS).date()),
        # with their files, rows and titles
        "import_jobs": (ImportJob.id, ImportJob.finished_at < now - settings.keep_imports),
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
        sql_delete(table)
        .where(tuple_(*key).in_(batch))
        .execution_options(synchronize_session=False)
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
