"""Consumers of events: the effect of an event and its inbox row are one transaction.

A Celery message only names an event. The consumer acts on the row of the outbox, so a forged or
altered message has no effect of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.shared.events import BY_TYPE, EventDeadLettered
from backend.shared.infra import clock, config, database, logs, request_context
from backend.shared.infra.request_context import RequestContext
from backend.shared.infra.telemetry import tracing
from backend.shared.messaging import metrics, outbox
from backend.shared.messaging.celery_app import celery
from backend.shared.messaging.subscriptions import SUBSCRIBERS, consumers_of
from backend.shared.models import EventRun, OutboxEvent, ProcessedEvent

_log = logs.get(__name__)


@dataclass(frozen=True)
class EventContext:
    """Facts about an event besides its payload.

    `stale`: this consumer has already processed a later event of the same aggregate.
    """

    event_id: UUID
    aggregate_id: UUID
    seq: int
    stale: bool


Handler = Callable[[Session, Any, EventContext], None]


def consumer(name: str) -> Callable[[Handler], Handler]:
    """Register `handler(session, event, context)` as the consumer `name` of SUBSCRIBERS."""
    if not any(name in consumers for consumers in SUBSCRIBERS.values()):
        raise ValueError(f"no event goes to {name}: see backend.shared.messaging.subscriptions")

    def register(handler: Handler) -> Handler:
        def run(event_id: str) -> None:
            consume(name, handler, event_id)

        celery.task(name=name)(run)  # the relay names its queue
        return handler

    return register


def consume(name: str, handler: Handler, event_id: object) -> None:
    """Process an event once. A failure is counted; the relay sends the event again."""
    row = _begin_run(name, event_id)
    if row is None:
        return
    request_context.begin(
        RequestContext(row.request_id), part="celery-worker", event_id=row.id, consumer=name
    )
    attributes = {"event.type": row.event_type, "event.id": str(row.id)}
    try:
        with (
            tracing.span(name, "CONSUMER", attributes),
            database.transaction() as session,
        ):
            if _insert_inbox_row(session, name, row):
                event = BY_TYPE[row.event_type].model_validate(row.payload)
                handler(session, event, _context_of(session, name, row))
    except Exception as error:
        metrics.count_run(name, "failed")
        _log.exception("consumer failed", event_type=row.event_type)
        _record_failure(name, row.id, error)
        raise
    metrics.count_run(name, "done")


def _begin_run(name: str, event_id: object) -> OutboxEvent | None:
    """Read the event and count a run before it begins, so that a run that is killed is counted too.

    None when the event is already processed or a dead letter, or becomes one now; also when no
    such event was published for this consumer.
    """
    with database.transaction() as session:
        row = _read_event(session, event_id)
        if row is None or name not in consumers_of(row.event_type):
            metrics.count_run(name, "refused")
            _log.warning("message names no event of this consumer", consumer=name)
            return None
        done = session.get(ProcessedEvent, (row.id, name))
        if done is not None or row.dead_at is not None:
            return None
        counted = insert(EventRun).values(
            event_id=row.id, consumer=name, runs=1, updated_at=clock.now()
        )
        runs = session.execute(
            counted.on_conflict_do_update(
                index_elements=["event_id", "consumer"],
                set_={"runs": EventRun.runs + 1, "updated_at": clock.now()},
            ).returning(EventRun.runs)
        ).scalar_one()
        if runs > config.outbox().outbox_max_failures:
            dead_letter(session, name, row.id)
            return None
    return row


def _read_event(session: Session, event_id: object) -> OutboxEvent | None:
    try:
        return session.get(OutboxEvent, UUID(str(event_id)))
    except ValueError:
        return None  # not an id


def dead_letter(session: Session, name: str, event_id: UUID) -> None:
    """Mark an event as a dead letter and publish that, except for the dead-letter event itself."""
    _log.critical("event is a dead letter", event_id=str(event_id), consumer=name)
    error = session.execute(
        select(EventRun.last_error).where(EventRun.event_id == event_id, EventRun.consumer == name)
    ).scalar_one_or_none()
    event_type = session.execute(
        update(OutboxEvent)
        .where(OutboxEvent.id == event_id)
        .values(dead_at=clock.now(), last_error=f"{name}: {error or 'the consumer was killed'}")
        .returning(OutboxEvent.event_type)
    ).scalar_one()
    if event_type != EventDeadLettered.TYPE:
        outbox.publish(
            session,
            EventDeadLettered(event_id=event_id, event_type=event_type, consumer=name, error=error),
        )


def retry_dead_letter(session: Session, event_id: UUID) -> bool:
    """Send a dead letter again and reset its run counts; False when it is not a dead letter."""
    retried = session.execute(
        update(OutboxEvent)
        .where(OutboxEvent.id == event_id, OutboxEvent.dead_at.is_not(None))
        .values(dead_at=None, last_error=None, resends=0, next_attempt_at=clock.now())
        .returning(OutboxEvent.id)
    ).scalar_one_or_none()
    session.execute(delete(EventRun).where(EventRun.event_id == event_id))
    return retried is not None


def _insert_inbox_row(session: Session, name: str, row: OutboxEvent) -> bool:
    """Insert the inbox row in the effect's transaction; False when it already exists."""
    inserted = session.execute(
        insert(ProcessedEvent)
        .values(
            event_id=row.id,
            consumer=name,
            aggregate_id=row.aggregate_id,
            seq=row.seq,
            processed_at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(ProcessedEvent.event_id)
    ).scalar_one_or_none()
    return inserted is not None


def _context_of(session: Session, name: str, row: OutboxEvent) -> EventContext:
    last = session.execute(
        select(func.max(ProcessedEvent.seq)).where(
            ProcessedEvent.consumer == name, ProcessedEvent.aggregate_id == row.aggregate_id
        )
    ).scalar_one()
    return EventContext(row.id, row.aggregate_id, row.seq, stale=last > row.seq)


def _record_failure(name: str, event_id: UUID, error: Exception) -> None:
    with database.transaction() as session:
        session.execute(
            update(EventRun)
            .where(EventRun.event_id == event_id, EventRun.consumer == name)
            .values(last_error=logs.without_values(f"{type(error).__name__}: {error}")[:1000])
        )
