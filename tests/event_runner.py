"""Run pending events in this process: what the relay and Celery do, without their delays.

Envelopes, inbox, transactions and handlers are the real ones; tests/e2e runs the real relay.
"""

import importlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from tests import service_roles

_MAX_ROUNDS = 50
_PATIENCE = 10  # seconds


def load_handlers() -> None:
    """Import the modules that register the consumers."""
    for module in celery_app.TASK_MODULES:
        importlib.import_module(module)


def run_events() -> list[str]:
    """Deliver all pending events, and those they cause, to all consumers; return their types."""
    load_handlers()
    seen: list[str] = []
    for _ in range(_MAX_ROUNDS):
        due = pending_events()
        if not due:
            return seen
        for envelope in due:
            for consumer in consumers_of(envelope["eventType"]):
                _run(consumer, envelope)
            seen.append(envelope["eventType"])
        with database.transaction() as session:
            session.execute(
                update(OutboxEvent)
                .where(OutboxEvent.id.in_([UUID(envelope["eventId"]) for envelope in due]))
                .values(acked_at=clock.now())
            )
    raise AssertionError(f"events keep causing events; the last were {seen[-10:]}")


def pending_events() -> list[dict[str, Any]]:
    """Return the envelopes of the events in the outbox that are not finished."""
    with database.transaction() as session:
        rows = session.execute(
            select(OutboxEvent)
            .where(OutboxEvent.acked_at.is_(None), OutboxEvent.dead_at.is_(None))
            .order_by(OutboxEvent.id)
        ).scalars()
        return [relay.envelope(row) for row in rows]


def redeliver(envelope: dict[str, Any]) -> None:
    """Deliver an event to its consumers, also when they have processed it before."""
    load_handlers()
    for consumer in consumers_of(envelope["eventType"]):
        _run(consumer, envelope)


def _run(consumer: str, envelope: dict[str, Any]) -> None:
    with service_roles.running_as("worker"):
        celery_app.celery.tasks[consumer].run(envelope["eventId"])


def run_periodic(name: str) -> None:
    """Run one periodic job now."""
    load_handlers()
    job = next(job for job in scheduler.PERIODIC_JOBS if job.name == name)
    with service_roles.running_as("worker"):
        if scheduler.with_work([job]):  # as the scheduler: a condition must miss nothing
            assert scheduler.run_periodic(job)


def advance_clock(by: timedelta) -> None:
    """Advance the clock of all processes, in addition to earlier advances."""
    path = config.process().clock_file
    assert path is not None
    before = float(path.read_text()) if path.exists() else 0.0
    _write(path, before + by.total_seconds())
    authentication.invalidate_caches()


def _write(path: Path, seconds: float) -> None:
    path.write_text(str(seconds))
    clock.now()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what a thread of a service brings about; fails after ten seconds."""
    limit = time.monotonic() + _PATIENCE
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < limit, "the condition did not come true"
        pause.wait(0.02)


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the calls in threads that start together; return their results."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
