"""Consumers of events: the effect of an event and its inbox row are one transaction.

A Celery message only names an event. The consumer acts on the row of the outbox, so a forged or
altered message has no effect of its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from backend.shared.events import BY_TYPE, EventDeadLettered
from backend.shared.infra import clock, config, database, logs, request_context
from backend.shared.infra.request_context import RequestContext
from backend.shared.infra.telemetry import tracing
from backend.shared.messaging import metrics, outbox
from backend.shared.messaging.celery_app import celery
from backend.shared.messaging.subscriptions import SUBSCRIBERS, consumers_of
from backend.shared.models import EventRun, OutboxEvent

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


class Received(NamedTuple):
    """An event that a consumer processes, and the request that caused it."""

    event: Any
    context: EventContext
    request_id: str | None


Handler = Callable[[Session, Any, EventContext], None]
BatchHandler = Callable[[Session, Sequence[Received]], None]


class _Event(NamedTuple):
    """A row of _EVENTS."""

    id: UUID
    event_type: str
    aggregate_id: UUID
    seq: int
    request_id: str | None
    payload: dict[str, Any]
    dead_at: datetime | None
    done: bool


_EVENTS = text("""
    SELECT o.id, o.event_type, o.aggregate_id, o.seq, o.request_id, o.payload, o.dead_at,
        -- One look-up for each; of EXISTS, PostgreSQL may make a list of all.
        (SELECT true FROM processed_events AS p
            WHERE p.event_id = o.id AND p.consumer = :consumer) IS TRUE AS done
    FROM outbox AS o WHERE o.id = ANY(CAST(:ids AS uuid[]))
""")
_COUNT_RUNS = text("""
    INSERT INTO event_runs AS r (event_id, consumer, runs, updated_at)
    SELECT id, :consumer, 1, :now FROM unnest(CAST(:ids AS uuid[])) AS id
    ON CONFLICT (event_id, consumer) DO UPDATE SET runs = r.runs + 1, updated_at = :now
    RETURNING event_id, runs
""")
_LAST_PROCESSED = text("""
    SELECT own.id AS aggregate_id, p.last
    FROM unnest(CAST(:aggregates AS uuid[])) AS own (id) CROSS JOIN LATERAL (
        SELECT seq AS last FROM processed_events
        WHERE consumer = :consumer AND aggregate_id = own.id ORDER BY seq DESC LIMIT 1
    ) AS p
""")
_INSERT_INBOX_ROWS = text("""
    INSERT INTO processed_events (event_id, consumer, aggregate_id, seq, processed_at)
    SELECT id, :consumer, aggregate_id, seq, :now FROM outbox
    WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id
    ON CONFLICT DO NOTHING RETURNING event_id
""")


def consumer(name: str) -> Callable[[Handler], Handler]:
    """Register `handler(session, event, context)` as the consumer `name` of SUBSCRIBERS."""

    def register(handler: Handler) -> Handler:
        batch_consumer(name)(each(name, handler))
        return handler

    return register


def batch_consumer(name: str, *, once: bool = False) -> Callable[[BatchHandler], BatchHandler]:
    """Register `handler(session, received)`, which processes all events of a message together.

    With `once` it is not called for each event alone when it fails.
    """
    if not any(name in consumers for consumers in SUBSCRIBERS.values()):
        raise ValueError(f"no event goes to {name}: see backend.shared.messaging.subscriptions")

    def register(handler: BatchHandler) -> BatchHandler:
        def run(*event_ids: object) -> None:
            consume(name, handler, *event_ids, once=once)

        celery.task(name=name)(run)  # the relay names its queue
        return handler

    return register


def each(name: str, handler: Handler) -> BatchHandler:
    """Return a handler that processes the events of a message one after the other."""

    def run(session: Session, received: Sequence[Received]) -> None:
        for one in received:
            with processing(name, one):
                handler(session, one.event, one.context)

    return run


@contextmanager
def processing(name: str, received: Received) -> Iterator[None]:
    """Attribute what is done to an event: in log lines, traces and the events it causes."""
    context = received.context
    request_context.begin(
        RequestContext(received.request_id),
        part="celery-worker",
        event_id=context.event_id,
        consumer=name,
    )
    attributes = {"event.type": received.event.TYPE, "event.id": str(context.event_id)}
    with tracing.span(name, "CONSUMER", attributes):
        yield


def consume(name: str, handler: BatchHandler, *event_ids: object, once: bool = False) -> None:
    """Process events once, together in one transaction; when that fails, one by one.

    A failure is counted; the relay sends the event again.
    """
    rows = _begin_runs(name, event_ids)
    if len(rows) > 1 and not once:
        try:
            _process(name, handler, rows)
        except Exception as error:  # noqa: BLE001 (each event alone shows which one failed)
            _log.warning("events are processed one by one", consumer=name, error=str(error))
        else:
            return
    groups = [rows] if once else [[row] for row in rows]
    outcomes = [_try(name, handler, group) for group in groups]
    failed = next((outcome for outcome in outcomes if outcome is not None), None)
    if failed is not None:
        raise failed


def _try(name: str, handler: BatchHandler, rows: Sequence[_Event]) -> Exception | None:
    """Process events; record the failure and return it."""
    if not rows:
        return None
    try:
        _process(name, handler, rows)
    except Exception as error:  # noqa: BLE001 (returned: the events after it still run)
        _log.exception("consumer failed", event_type=rows[0].event_type)
        for row in rows:
            metrics.count_run(name, "failed")
            _record_failure(name, row.id, error)
        return error
    return None


def _process(name: str, handler: BatchHandler, rows: Sequence[_Event]) -> None:
    with database.transaction() as session:
        last = _last_processed(session, name, rows)
        inserted = _insert_inbox_rows(session, name, rows)
        new = [_received(row, last) for row in rows if row.id in inserted]
        if new:
            handler(session, new)
    for _ in rows:
        metrics.count_run(name, "done")


def _received(row: _Event, last: Mapping[UUID, int]) -> Received:
    stale = last.get(row.aggregate_id, 0) > row.seq
    return Received(
        BY_TYPE[row.event_type].model_validate(row.payload),
        EventContext(row.id, row.aggregate_id, row.seq, stale),
        row.request_id,
    )


def _begin_runs(name: str, event_ids: Sequence[object]) -> list[_Event]:
    """Read events and count a run of each before it begins, so that a killed run is counted too.

    Leaves out those that are processed or dead letters, or become one now; also those that were
    not published for this consumer. In the order of their aggregates.
    """
    ids = sorted({given for each in event_ids if (given := _uuid(each)) is not None})
    with database.transaction() as session:
        found = session.execute(_EVENTS, {"ids": ids, "consumer": name}).all() if ids else []
        rows = [row for row in map(_Event._make, found) if name in consumers_of(row.event_type)]
        for _ in range(len(event_ids) - len(rows)):
            metrics.count_run(name, "refused")
            _log.warning("message names no event of this consumer", consumer=name)
        due = [row for row in rows if not row.done and row.dead_at is None]
        if not due:
            return []
        values = {"ids": [row.id for row in due], "consumer": name, "now": clock.now()}
        runs = {row.event_id: row.runs for row in session.execute(_COUNT_RUNS, values)}
        failed = [row for row in due if runs[row.id] > config.outbox().outbox_max_failures]
        for row in failed:
            dead_letter(session, name, row.id)
    return sorted(
        (row for row in due if row not in failed), key=lambda row: (row.aggregate_id, row.seq)
    )


def _uuid(given: object) -> UUID | None:
    try:
        return UUID(str(given))
    except ValueError:
        return None


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


def _insert_inbox_rows(session: Session, name: str, rows: Sequence[_Event]) -> set[UUID]:
    """Insert the inbox rows in the effect's transaction; return the events that had none."""
    values = {"ids": [row.id for row in rows], "consumer": name, "now": clock.now()}
    return set(session.execute(_INSERT_INBOX_ROWS, values).scalars())


def _last_processed(session: Session, name: str, rows: Sequence[_Event]) -> dict[UUID, int]:
    """Return the number of the last event of each aggregate that this consumer has processed."""
    aggregates = sorted({row.aggregate_id for row in rows})
    values = {"aggregates": aggregates, "consumer": name}
    return {row.aggregate_id: row.last for row in session.execute(_LAST_PROCESSED, values)}


def _record_failure(name: str, event_id: UUID, error: Exception) -> None:
    with database.transaction() as session:
        session.execute(
            update(EventRun)
            .where(EventRun.event_id == event_id, EventRun.consumer == name)
            .values(last_error=logs.without_values(f"{type(error).__name__}: {error}")[:1000])
        )
