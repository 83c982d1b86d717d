"""Measure the event chain by a synthetic event: outbox, relay, Redis, Celery."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.shared.infra import clock
from backend.shared.models import ProcessHeartbeat


def record_round_trip(session: Session, sent_at: datetime) -> None:
    """Record the round trip of the synthetic event in milliseconds.

    One row for the system, part `watchdog`; readiness and the alert also check its age.
    """
    now = clock.now()
    took = round((now - sent_at).total_seconds() * 1000)
    row = insert(ProcessHeartbeat).values(
        part="watchdog", instance="chain", since=now, at=now, details={"round_trip_ms": took}
    )
    session.execute(
        row.on_conflict_do_update(
            index_elements=["part", "instance"],
            set_={"at": row.excluded.at, "details": row.excluded.details},
            where=ProcessHeartbeat.at < row.excluded.at,
        )
    )
