"""The outbox: events are inserted in the transaction of their change.

`publish` executes one statement; a trigger on the table notifies the relay at commit. `relay`
sends the rows and keeps them until every consumer has processed them.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.shared.events import Event
from backend.shared.infra import clock, ids, request_context

_INSERT = text(
    """
    WITH counted AS (
        INSERT INTO aggregate_sequences AS s (aggregate_type, aggregate_id, seq)
        VALUES (:aggregate_type, :aggregate_id, 1)
        ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE SET seq = s.seq + 1
        RETURNING seq
    )
    INSERT INTO outbox (id, event_type, source, aggregate_type, aggregate_id, seq, version,
                        request_id, payload, created_at, next_attempt_at)
    SELECT :id, :event_type, :source, :aggregate_type, :aggregate_id, counted.seq, :version,
           :request_id, CAST(:payload AS jsonb), :now, :now
    FROM counted
    """
)


def publish(session: Session, event: Event) -> UUID:
    """Insert the event in the transaction of its change; the relay sends it after the commit."""
    session.flush()
    event_id = ids.uuid7()
    session.execute(
        _INSERT,
        {
            "id": event_id,
            "event_type": event.TYPE,
            "source": event.SOURCE,
            "aggregate_type": event.AGGREGATE,
            "aggregate_id": event.aggregate_id(),
            "version": event.VERSION,
            "request_id": request_context.current().request_id,
            "payload": event.model_dump_json(),
            "now": clock.now(),
        },
    )
    return event_id
