"""The outbox: events are inserted in the transaction of their change.

`publish` and `publish_all` execute one statement; a trigger on the table notifies the relay at
commit. `relay` sends the rows and keeps them until every consumer has processed them.
"""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.shared.events import Event
from backend.shared.infra import clock, ids, request_context
from backend.shared.infra.database import Prepared

# Inserts the event of `row_of`; also a part of statements that insert the change with its event.
INSERT_EVENT = """
    counted AS (
        INSERT INTO aggregate_sequences AS s (aggregate_type, aggregate_id, seq)
        VALUES (:aggregate_type, :aggregate_id, 1)
        ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE SET seq = s.seq + 1
        RETURNING aggregate_type, aggregate_id, seq
    ), event AS (
        INSERT INTO outbox (id, event_type, source, aggregate_type, aggregate_id, seq, version,
                            request_id, payload, created_at, next_attempt_at)
        SELECT :event_id, :event_type, :source, counted.aggregate_type, counted.aggregate_id,
               counted.seq, :event_version, :context_id, CAST(:payload AS jsonb), :now, :now
        FROM counted
    )
"""
_INSERT = Prepared("insert_event", f"WITH {INSERT_EVENT} SELECT")
# The columns of `json_row_of`, and what inserts the events of the rows `of`, each of an aggregate
# of its own.
JSON_COLUMNS = """event_id uuid, event_type text, source text, aggregate_type text,
            aggregate_id uuid, event_version integer, context_id text, payload jsonb,
            now timestamptz"""
INSERT_EVENTS = """
    counted AS (
        INSERT INTO aggregate_sequences AS s (aggregate_type, aggregate_id, seq)
        SELECT aggregate_type, aggregate_id, 1 FROM {of} ORDER BY aggregate_type, aggregate_id
        ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE SET seq = s.seq + 1
        RETURNING aggregate_type, aggregate_id, seq
    ), event AS (
        INSERT INTO outbox (id, event_type, source, aggregate_type, aggregate_id, seq, version,
                            request_id, payload, created_at, next_attempt_at)
        SELECT event_id, event_type, source, aggregate_type, aggregate_id, seq, event_version,
               context_id, payload, now, now
        FROM {of} JOIN counted USING (aggregate_type, aggregate_id)
    )
"""
_INSERT_ALL = Prepared(
    "insert_events",
    f"""
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS rows (
            {JSON_COLUMNS})
    ), {INSERT_EVENTS.format(of="given")}
    SELECT
    """,  # noqa: S608 (constants of this module)
)


def row_of(event: Event) -> dict[str, Any]:
    """Return the parameters of INSERT_EVENT."""
    return {
        "event_id": ids.uuid7(),
        "event_type": event.TYPE,
        "source": event.SOURCE,
        "aggregate_type": event.AGGREGATE,
        "aggregate_id": event.aggregate_id(),
        "event_version": event.VERSION,
        "context_id": request_context.current().request_id,
        "payload": event.model_dump_json(),
        "now": clock.now(),
    }


def json_row_of(event: Event) -> dict[str, Any]:
    """Return the event's row for INSERT_EVENTS, a part of a JSON list."""
    row = row_of(event)
    return {**row, "payload": json.loads(row["payload"])}


def publish(session: Session, event: Event) -> UUID:
    """Insert the event in the transaction of its change; the relay sends it after the commit."""
    session.flush()
    row = row_of(event)
    _INSERT.run(session, row)
    event_id: UUID = row["event_id"]
    return event_id


def publish_all(session: Session, events: Iterable[Event]) -> None:
    """Insert events of different aggregates in one statement."""
    session.flush()
    rows = [json_row_of(event) for event in events]
    if rows:
        _INSERT_ALL.run(session, {"rows": json.dumps(rows, default=str)})
