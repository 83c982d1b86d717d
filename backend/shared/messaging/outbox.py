"""The outbox: events are written with their change; here they are published and kept until done.

`publish` is one statement in the transaction of the change. The trigger on the table notifies
the relay at commit. See `relay` for how a row is sent, shown and finished.
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
    """Write the event with the change it tells of; it is sent after the commit, never without."""
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
