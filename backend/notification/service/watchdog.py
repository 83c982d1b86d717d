"""Measure the event chain by a synthetic event: outbox, relay, Redis, Celery."""

from datetime import datetime, timedelta

from sqlalchemy import exists, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.shared.events import WatchdogSent
from backend.shared.infra import clock
from backend.shared.models import OutboxEvent, ProcessHeartbeat

_TIMEOUT = timedelta(seconds=30)
_MAX_SILENCE = 2 * _TIMEOUT  # an event is sent every 30 seconds


def mark_late(session: Session) -> datetime | None:
    """Return when an event last passed, if that is too long ago and was not yet marked."""
    now = clock.now()
    is_pending = exists().where(
        OutboxEvent.event_type == WatchdogSent.TYPE,
        OutboxEvent.acked_at.is_(None),
        OutboxEvent.created_at < now - _TIMEOUT,  # not only an idle night before a restart
    )
    return session.execute(
        update(ProcessHeartbeat)
        .where(
            ProcessHeartbeat.part == "watchdog",
            ProcessHeartbeat.at < now - _MAX_SILENCE,
            is_pending,
            ~ProcessHeartbeat.details.has_key("late"),
        )
        .values(details={"late": True})
        .returning(ProcessHeartbeat.at)
    ).scalar_one_or_none()


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
