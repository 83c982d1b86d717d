"""The chain of events within one process: what relay and Celery do, without their waiting.

Envelopes, inbox, transactions and handlers are the real ones; tests/e2e runs the real relay.
"""

import importlib
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, update

from backend.shared import clock, config, db, identity, relay, worker
from backend.shared.models import OutboxEvent
from backend.shared.subscribers import consumers_of

_MOST_ROUNDS = 200


def _handlers() -> None:
    for module in worker.TASK_MODULES:
        importlib.import_module(module)


def run_events() -> list[str]:
    """Carry every waiting event, and those that they cause, to all consumers; their types."""
    _handlers()
    seen: list[str] = []
    for _ in range(_MOST_ROUNDS):
        with db.transaction() as session:
            row = session.execute(
                select(OutboxEvent)
                .where(OutboxEvent.acked_at.is_(None))
                .order_by(OutboxEvent.id)
                .limit(1)
            ).scalar_one_or_none()
            envelope = relay.envelope(row) if row is not None else None
        if row is None or envelope is None:
            return seen
        for consumer in consumers_of(row.event_type):
            worker.celery.tasks[consumer].run(envelope)
        with db.transaction() as session:
            session.execute(
                update(OutboxEvent).where(OutboxEvent.id == row.id).values(acked_at=clock.now())
            )
        seen.append(row.event_type)
    raise AssertionError(f"the events never end; the last were {seen[-10:]}")


def run_periodic(name: str) -> None:
    """Do one periodic job now."""
    _handlers()
    assert worker.run_periodic(next(job for job in worker.PERIODIC if job.name == name))


def move_clock(by: timedelta) -> None:
    """Move the clock of all processes forward, on top of earlier moves."""
    path = config.process().clock_file
    assert path is not None
    before = float(path.read_text()) if path.exists() else 0.0
    _write(path, before + by.total_seconds())
    identity.forget()


def _write(path: Path, seconds: float) -> None:
    path.write_text(str(seconds))
    clock.now()
