"""The relay: sends committed events from the outbox to Celery and to the live view.

A row is finished when every consumer's row exists in `processed_events`; until then it is sent
again, after 5 s × 2ⁿ up to 15 s, and at once when Redis has lost its data. So a killed worker, a
flushed Redis or a crash loses nothing; the inbox (`backend.shared.messaging.inbox`) prevents
processing twice. Several relays may run.
"""

import json
import select as os_select
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from celery import Celery
from kombu.exceptions import OperationalError as BrokerDown
from prometheus_client import Counter
from redis.exceptions import RedisError
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from backend.shared.infra import clock, config, database, logs, redis
from backend.shared.infra.database import Prepared
from backend.shared.infra.telemetry.processor_use import ProcessorUse
from backend.shared.messaging import broker, celery_app, channels, realtime
from backend.shared.messaging.due_events import BATCH, DueEvent, due_events, prompt_events
from backend.shared.messaging.relay_pauses import Pause, pause_after
from backend.shared.messaging.subscriptions import TOGETHER, consumers_of, priority_of, queue_of
from backend.shared.models import LivePosition, OutboxEvent

_log = logs.get(__name__)
LONG_QUEUE = 100  # messages; what waits in it is not sent again
_PROMPT_POLL = 0.5  # seconds; events of robots are looked for in the pauses of a burst
_LOOK = 0.1  # seconds in which the use of the processors is measured
_SENT = Counter("luna_events_sent", "Events sent to a consumer", ["consumer"])
_FINISHED = Counter("luna_events_finished", "Events processed by all consumers")
_MessageKey = tuple[str, bool, UUID | None]  # consumer, whether resent, event that is sent alone


# The runs of events by consumer: finished ones, then others that have begun. Each event is looked
# up by its key; for a list of ids PostgreSQL may read both tables.
_RUNS = Prepared(
    "runs_of_events",
    """
    SELECT own.id AS event_id, run.consumer, run.done
    FROM unnest(CAST(:ids AS uuid[])) AS own (id) CROSS JOIN LATERAL (
        SELECT consumer, true AS done FROM processed_events WHERE event_id = own.id
        UNION ALL SELECT consumer, false FROM event_runs WHERE event_id = own.id
    ) AS run
    ORDER BY run.done DESC
    """,
)
_STORE = Prepared(
    "store_attempts",
    """
    UPDATE outbox AS o SET next_attempt_at = new.next_attempt_at, resends = new.resends,
        pos = coalesce(o.pos, new.pos), topics = coalesce(o.topics, new.topics)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (
        id uuid, next_attempt_at timestamptz, resends integer, pos bigint, topics text[])
    WHERE o.id = new.id
    """,
)
_MARK = text("""
    UPDATE outbox SET shown_at = coalesce(shown_at, :now),
        acked_at = CASE WHEN id = ANY(CAST(:finished AS uuid[])) THEN :now END
    WHERE id = ANY(CAST(:ids AS uuid[]))
""")


def envelope(row: OutboxEvent | DueEvent) -> dict[str, Any]:
    """Build the envelope of an event (events.md §1)."""
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
        self._next_check = 0.0
        self._long_queues: set[str] = set()  # their messages are not lost but wait

    def run(self, stopping: threading.Event) -> None:
        """Relay until `stopping` is set; retry after an outage of the database or Redis."""
        while not stopping.is_set():
            try:
                self._listen(stopping)
            except Exception as error:  # noqa: BLE001 (the relay retries after every outage)
                _log.warning("relay interrupted", error=str(error).splitlines()[0])
                stopping.wait(0.5)

    def _listen(self, stopping: threading.Event) -> None:
        with database.reading_engine().connect() as connection:
            driver: Any = connection.connection.dbapi_connection  # psycopg2's connection
            connection.execute(text(f"LISTEN {channels.OUTBOX}"))
            while not stopping.is_set():
                self._detect_redis_restart()
                began = time.monotonic()
                relayed = self.relay_batch()
                took = time.monotonic() - began
                if relayed < BATCH:
                    poll = config.outbox().outbox_poll.total_seconds()
                    os_select.select([driver], [], [], poll)
                self._rest(stopping, began, pause_after(relayed, took))
                driver.poll()
                driver.notifies.clear()

    def _rest(self, stopping: threading.Event, began: float, pause: Pause) -> None:
        """Relay only events of robots until the pause is over, which idle processors end."""
        use, prompt_at = ProcessorUse(), time.monotonic() + _PROMPT_POLL
        while (left := began + pause.longest - time.monotonic()) > 0 and not stopping.is_set():
            stopping.wait(min(left, _LOOK))
            if use.is_mostly_idle() and time.monotonic() - began >= pause.shortest:
                return
            if time.monotonic() >= prompt_at:
                self.relay_batch(prompt_events)
                prompt_at = time.monotonic() + _PROMPT_POLL

    def _detect_redis_restart(self) -> None:
        """Send unfinished events again when Redis has lost its data; see which queues are long."""
        if time.monotonic() < self._next_check:
            return
        self._next_check = time.monotonic() + 1
        with redis.suppress_errors():
            client = redis.client()
            run = str(client.info("server")["run_id"])
            has_marker = client.set("relay:memory", "kept", nx=True) is None
            if self._redis_run is not None and (run != self._redis_run or not has_marker):
                self._make_all_due()
            self._redis_run = run
            lengths = {name: broker.queue_length(client, name) for name in celery_app.QUEUES}
            self._long_queues = {name for name in lengths if lengths[name] > LONG_QUEUE}

    def _make_all_due(self) -> None:
        _log.warning("redis has lost its data: every unfinished event is sent again")
        with database.transaction() as session:
            session.execute(
                update(OutboxEvent)
                .where(OutboxEvent.acked_at.is_(None), OutboxEvent.dead_at.is_(None))
                .values(next_attempt_at=clock.now(), resends=0)
            )

    def relay_batch(self, due: Callable[[Session], list[DueEvent]] = due_events) -> int:
        """Relay the rows that are due, at most BATCH; return their number."""
        with database.transaction() as session:
            rows = due(session)
            if not rows:
                return 0
            self._assign_positions(session, rows)
            finished = self._send_or_finish(session, rows)
            # What is finished and was published before changes no more: it is marked below.
            changed = [row for row in rows if row.shown_at is None or row.id not in finished]
            _STORE.run(session, {"rows": json.dumps([row.stored() for row in changed])})
        self._publish_live(rows, finished)
        return len(rows)

    def _assign_positions(self, session: Session, rows: Sequence[DueEvent]) -> None:
        """Give each new row its position in the live view, under the counter's lock.

        Ids are not in commit order. Positions are assigned after the commit, one relay at a
        time, so a client that resumes with `since` skips no event that committed late.
        """
        new = [row for row in rows if row.pos is None]
        if not new:
            return
        last = session.execute(
            update(LivePosition).values(pos=LivePosition.pos + len(new)).returning(LivePosition.pos)
        ).scalar_one()
        for pos, row in enumerate(new, start=last - len(new) + 1):
            row.pos = pos
            row.topics = realtime.topics(row.event_type, row.payload)

    def _send_or_finish(self, session: Session, rows: Sequence[DueEvent]) -> set[UUID]:
        """Send each row to consumers that have not processed it; return the finished ids."""
        runs = {
            (run.event_id, run.consumer): run.done
            for run in reversed(_RUNS.run(session, {"ids": [row.id for row in rows]}).all())
        }
        finished = set()
        messages: dict[_MessageKey, list[DueEvent]] = {}
        for row in rows:
            missing = [c for c in consumers_of(row.event_type) if not runs.get((row.id, c))]
            row.next_attempt_at = clock.now() + config.outbox().outbox_poll
            if not missing:
                finished.add(row.id)
            for consumer in missing:
                if row.resends and queue_of(consumer) in self._long_queues:
                    row.next_attempt_at = _next_attempt(row)
                    continue
                # An event whose run began may be the one that stops its consumer: it is sent alone.
                together = consumer in TOGETHER and (row.id, consumer) not in runs
                key = consumer, row.resends > 0, None if together else row.id
                messages.setdefault(key, []).append(row)
        if self._send(messages):
            for row in {row.id: row for each in messages.values() for row in each}.values():
                row.next_attempt_at = _next_attempt(row)
                row.resends += 1
        return finished

    def _send(self, messages: Mapping[_MessageKey, Sequence[DueEvent]]) -> bool:
        """Send events to Celery; False when the broker is not available."""
        try:
            for (consumer, is_resent, _), rows in messages.items():
                ids = [str(row.id) for row in rows]
                queue = queue_of(consumer)
                priority = priority_of(consumer, is_resent=is_resent)
                self._celery.send_task(
                    consumer, args=ids, queue=queue, priority=priority, retry=False
                )
                _SENT.labels(consumer).inc(len(ids))
        except (BrokerDown, RedisError, OSError) as error:
            _log.warning("the broker is not available", error=str(error))
            return False
        return True

    def _publish_live(self, rows: Sequence[DueEvent], finished: AbstractSet[UUID]) -> None:
        """Publish new rows to the live view, then mark published and finished rows."""
        unpublished = [row for row in rows if row.shown_at is None]
        if unpublished and not realtime.publish(
            [envelope(row) | {"pos": row.pos} for row in unpublished]
        ):
            return
        marked = {row.id for row in unpublished} | finished
        if not marked:
            return
        now = clock.now()
        with database.transaction() as session:
            values = {"ids": sorted(marked), "finished": list(finished), "now": now}
            session.execute(_MARK, values)
        _FINISHED.inc(len(finished))


def _next_attempt(row: DueEvent) -> datetime:
    settings = config.outbox()
    wait: timedelta = settings.outbox_first_resend * 2 ** min(row.resends, 8)
    return clock.now() + min(wait, settings.outbox_last_resend)
