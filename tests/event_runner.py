"""The chain of events within one process: what relay and Celery do, without their waiting.

Envelopes, inbox, transactions and handlers are the real ones; tests/e2e runs the real relay.
"""

import importlib
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from backend.shared.infra import clock, config, database
from backend.shared.messaging import celery_app, relay, scheduler
from backend.shared.messaging.subscriptions import consumers_of
from backend.shared.models import OutboxEvent
from backend.shared.web.security import authentication

_MOST_ROUNDS = 50


def _handlers() -> None:
    for module in celery_app.TASK_MODULES:
        importlib.import_module(module)


def run_events() -> list[str]:
    """Carry every waiting event, and those that they cause, to all consumers; their types."""
    _handlers()
    seen: list[str] = []
    for _ in range(_MOST_ROUNDS):
        due = waiting()
        if not due:
            return seen
        for envelope in due:
            for consumer in consumers_of(envelope["eventType"]):
                celery_app.celery.tasks[consumer].run(envelope)
            seen.append(envelope["eventType"])
        with database.transaction() as session:
            session.execute(
                update(OutboxEvent)
                .where(OutboxEvent.id.in_([UUID(envelope["eventId"]) for envelope in due]))
                .values(acked_at=clock.now())
            )
    raise AssertionError(f"the events never end; the last were {seen[-10:]}")


def waiting() -> list[dict[str, Any]]:
    """The events that wait, as they will travel."""
    with database.transaction() as session:
        rows = session.execute(
            select(OutboxEvent)
            .where(OutboxEvent.acked_at.is_(None), OutboxEvent.dead_at.is_(None))
            .order_by(OutboxEvent.id)
        ).scalars()
        return [relay.envelope(row) for row in rows]


def redeliver(envelope: dict[str, Any]) -> None:
    """Give an event to its consumers (again), whatever became of it before."""
    _handlers()
    for consumer in consumers_of(envelope["eventType"]):
        celery_app.celery.tasks[consumer].run(envelope)


def run_periodic(name: str) -> None:
    """Do one periodic job now."""
    _handlers()
    assert scheduler.run_periodic(next(job for job in scheduler.PERIODIC if job.name == name))


def move_clock(by: timedelta) -> None:
    """Move the clock of all processes forward, on top of earlier moves."""
    path = config.process().clock_file
    assert path is not None
    before = float(path.read_text()) if path.exists() else 0.0
    _write(path, before + by.total_seconds())
    authentication.forget()


def _write(path: Path, seconds: float) -> None:
    path.write_text(str(seconds))
    clock.now()
