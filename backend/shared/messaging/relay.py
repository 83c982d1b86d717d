"""The relay: takes committed events from the outbox, shows them live, sends them to Celery.

A row is finished only when every consumer's row stands in `processed_events`; until then it is
sent again, after 5 s × 2ⁿ up to 15 s, and at once when Redis has lost its memory. So a killed
worker, a flushed Redis or a crash between two lines here loses nothing; doing it twice is
prevented by the inbox (`backend.shared.messaging.celery_app`). Several relays may run.
"""

import select as os_select
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from celery import Celery
from kombu.exceptions import OperationalError as BrokerDown
from prometheus_client import Counter
from redis.exceptions import RedisError
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from backend.shared.infra import clock, config, database, logs, redis
from backend.shared.messaging import channels, realtime
from backend.shared.messaging.subscriptions import consumers_of, queue_of
from backend.shared.models import LivePosition, OutboxEvent, ProcessedEvent

_log = logs.get(__name__)
_BATCH = 100
_SENT = Counter("luna_events_sent", "Events sent to a consumer", ["consumer"])
_FINISHED = Counter("luna_events_finished", "Events done by all consumers")


def envelope(row: OutboxEvent) -> dict[str, Any]:
    """An event as it travels (events.md §1)."""
    return {
        "eventId": str(row.id),
        "eventType": row.event_type,
        "timestamp": clock.iso(row.created_at),
        "source": row.source,
        "requestId": row.request_id,
        "aggregate": {"type": row.aggregate_type, "id": str(row.aggregate_id), "seq": row.seq},
        "version": row.version,
        "payload": row.payload,
    }


class Relay:
    def __init__(self, celery: Celery) -> None:
        self._celery = celery
        self._redis_run: str | None = None
        self._next_look = 0.0

    def run(self, stopping: threading.Event) -> None:
        """Relay until told to stop; an outage of the database or Redis only makes it wait."""
        while not stopping.is_set():
            try:
                self._listen(stopping)
            except Exception as error:  # noqa: BLE001 (the relay outlives every outage)
                _log.warning("the relay waits", error=str(error).splitlines()[0])
                stopping.wait(0.5)

    def _listen(self, stopping: threading.Event) -> None:
        with database.reading_engine().connect() as connection:
            driver: Any = connection.connection.dbapi_connection  # psycopg2's own
            connection.execute(text(f"LISTEN {channels.OUTBOX}"))
            while not stopping.is_set():
                self._detect_redis_restart()
                if self.relay_batch() < _BATCH:
                    poll = config.outbox().outbox_poll.total_seconds()
                    os_select.select([driver], [], [], poll)
                    driver.poll()
                    driver.notifies.clear()

    def _detect_redis_restart(self) -> None:
        """Another run of Redis, or a flushed one, may have forgotten what it was given."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + 1
        with redis.guarded():
            client = redis.client()
            run = str(client.info("server")["run_id"])
            known = client.set("relay:memory", "kept", nx=True) is None
            if self._redis_run is not None and (run != self._redis_run or not known):
                self._make_all_due()
            self._redis_run = run

    def _make_all_due(self) -> None:
        _log.warning("redis has lost its memory: everything unfinished is sent again")
        with database.transaction() as session:
            session.execute(
                update(OutboxEvent)
                .where(OutboxEvent.acked_at.is_(None), OutboxEvent.dead_at.is_(None))
                .values(next_attempt_at=clock.now(), resends=0)
            )

    def relay_batch(self) -> int:
        """Handle the due rows, at most a hundred; how many they were."""
        with database.transaction() as session:
            rows = self._due(session)
            if not rows:
                return 0
            self._assign_positions(session, rows)
            finished = self._send_or_finish(session, rows)
        self._publish_live(rows, finished)
        return len(rows)

    def _due(self, session: Session) -> Sequence[OutboxEvent]:
        return (
            session.execute(
                select(OutboxEvent)
                .where(
                    OutboxEvent.acked_at.is_(None),
                    OutboxEvent.dead_at.is_(None),
                    OutboxEvent.next_attempt_at <= clock.now(),
                )
                .order_by(OutboxEvent.next_attempt_at, OutboxEvent.id)
                .limit(_BATCH)
                .with_for_update(skip_locked=True)
            )
            .scalars()
            .all()
        )

    def _assign_positions(self, session: Session, rows: Sequence[OutboxEvent]) -> None:
        """Give each new row its place in the live view, under the counter's lock.

        Ids are not in commit order; places are given after the commit, one relay at a time, so
        nothing that commits late is ever skipped by a client that asks “since”.
        """
        new = [row for row in rows if row.pos is None]
        if not new:
            return
        last = session.execute(
            update(LivePosition).values(pos=LivePosition.pos + len(new)).returning(LivePosition.pos)
        ).scalar_one()
        for place, row in enumerate(new, start=last - len(new) + 1):
            row.pos = place

    def _send_or_finish(self, session: Session, rows: Sequence[OutboxEvent]) -> list[UUID]:
        """Send each row to the consumers that have not done it; the ids of those all done."""
        done = {
            (event_id, consumer)
            for event_id, consumer in session.execute(
                select(ProcessedEvent.event_id, ProcessedEvent.consumer).where(
                    ProcessedEvent.event_id.in_([row.id for row in rows])
                )
            )
        }
        finished = []
        broker_is_up = True
        for row in rows:
            missing = [c for c in consumers_of(row.event_type) if (row.id, c) not in done]
            row.next_attempt_at = clock.now() + config.outbox().outbox_poll
            if not missing:
                finished.append(row.id)
            elif broker_is_up:
                broker_is_up = self._send(row, missing)
        return finished

    def _send(self, row: OutboxEvent, consumers: Sequence[str]) -> bool:
        """Hand the event to Celery; False when the broker does not take it."""
        try:
            for consumer in consumers:
                self._celery.send_task(
                    consumer, args=[envelope(row)], queue=queue_of(consumer), retry=False
                )
                _SENT.labels(consumer).inc()
        except (BrokerDown, RedisError, OSError) as error:
            _log.warning("the broker does not answer", error=str(error))
            return False
        row.next_attempt_at = _next_attempt(row)
        row.resends += 1
        return True

    def _publish_live(self, rows: Sequence[OutboxEvent], finished: Sequence[UUID]) -> None:
        """Publish new rows to the live view, then close those that are done and shown."""
        unseen = [row for row in rows if row.shown_at is None]
        if unseen and not realtime.publish([envelope(row) | {"pos": row.pos} for row in unseen]):
            return
        with database.transaction() as session:
            now = clock.now()
            session.execute(
                update(OutboxEvent)
                .where(OutboxEvent.id.in_([row.id for row in unseen]))
                .values(shown_at=now)
            )
            session.execute(
                update(OutboxEvent).where(OutboxEvent.id.in_(finished)).values(acked_at=now)
            )
        _FINISHED.inc(len(finished))


def _next_attempt(row: OutboxEvent) -> datetime:
    settings = config.outbox()
    wait: timedelta = settings.outbox_first_resend * 2 ** min(row.resends, 8)
    return clock.now() + min(wait, settings.outbox_last_resend)
