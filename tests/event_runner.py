"""Run pending events in this process: what the relay and Celery do, without their delays.

Envelopes, inbox, transactions and handlers are the real ones; tests/e2e runs the real relay.
"""

import importlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select, text

from backend.robot.bridge_protocol import due_writes, stop_orders
from backend.shared.infra import clock, config, database
from backend.shared.messaging import celery_app, relay, scheduler
from backend.shared.messaging.subscriptions import DISPATCH, TOGETHER, consumers_of
from backend.shared.models import OutboxEvent
from backend.shared.web.security import authentication
from tests import gateway_app, service_roles

_MAX_ROUNDS = 50
_PATIENCE = 60  # seconds; a busy machine is slow, and only a failing test waits for all of them
_PENDING = text("""
    SELECT id, event_type FROM outbox WHERE acked_at IS NULL AND dead_at IS NULL ORDER BY id
""")
# They act on no task or robot, so that only people are told later than by the relay.
LAST = TOGETHER - {DISPATCH}
_WAITING = text(  # of this database: other test workers use the same server
    "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE NOT granted AND datname = current_database()"
)
_Messages = dict[tuple[str, UUID | None], list[str]]
_FINISH = text("UPDATE outbox SET acked_at = :now WHERE id = ANY(CAST(:ids AS uuid[]))")


def load_handlers() -> None:
    """Import the modules that register the consumers."""
    for module in celery_app.TASK_MODULES:
        importlib.import_module(module)


def run_events() -> list[str]:
    """Deliver all pending events, and those they cause, to all consumers; return their types.

    As from the relay, a consumer of TOGETHER has those that are pending in one message. Those of
    LAST have them when nothing else is left to do.
    """
    load_handlers()
    finish_background_work()
    seen: dict[UUID, str] = {}
    left: _Messages = {}
    with service_roles.running_as("worker"):
        for _ in range(_MAX_ROUNDS):
            with database.reading_engine().connect() as connection:
                rows = connection.execute(_PENDING)
                due = {row.id: row.event_type for row in rows if row.id not in seen}
            seen |= due
            now: _Messages = {}
            for event_id, event_type in due.items():
                for consumer in consumers_of(event_type):
                    alone = None if consumer in TOGETHER else event_id
                    messages = left if consumer in LAST else now
                    messages.setdefault((consumer, alone), []).append(str(event_id))
            if not due:
                now, left = left, {}
            if not now and not left:
                _finish(seen)
                return list(seen.values())
            for (consumer, _), ids in now.items():
                celery_app.celery.tasks[consumer].run(*ids)
    raise AssertionError(f"events keep causing events; the last: {list(seen.values())[-10:]}")


def _finish(events: Iterable[UUID]) -> None:
    if ids := [str(each) for each in events]:
        with database.transaction() as session:
            session.execute(_FINISH, {"now": clock.now(), "ids": ids})


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
        with service_roles.running_as("worker"):
            celery_app.celery.tasks[consumer].run(envelope["eventId"])


def run_periodic(name: str) -> None:
    """Run one periodic job now."""
    load_handlers()
    finish_background_work()
    job = next(job for job in scheduler.PERIODIC_JOBS if job.name == name)
    with service_roles.running_as("worker"):
        if scheduler.with_work([job]):  # as the scheduler: a condition must miss nothing
            assert scheduler.run_periodic(job)


def advance_clock(by: timedelta) -> None:
    """Advance the clock of all processes once nothing is under way at the time before."""
    finish_background_work()
    move_clock(by)


def move_clock(by: timedelta) -> None:
    """Advance the clock of all processes, in addition to earlier advances."""
    path = config.process().clock_file
    assert path is not None
    before = float(path.read_text()) if path.exists() else 0.0
    _write(path, before + by.total_seconds())
    authentication.invalidate_caches()


def finish_background_work() -> None:
    """Wait for what follows a stop after its response, and write heartbeats that are to be written.

    They lock rows, which jobs and consumers leave to their next run.
    """
    gateway_app.run_in_robot_service(stop_orders.finish)
    gateway_app.run_in_robot_service(due_writes.write_batch)


def _write(path: Path, seconds: float) -> None:
    """Replace the file: another thread or process may read it at any moment."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(str(seconds))
    new.replace(path)
    clock.now()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what a thread of a service brings about; fails after a minute."""
    limit = time.monotonic() + _PATIENCE
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < limit, "the condition did not come true"
        pause.wait(0.02)


def is_waiting(owner: Engine) -> bool:
    """Return whether a transaction waits for a lock."""
    with owner.connect() as connection:
        return bool(connection.execute(_WAITING).scalar_one())


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the calls in threads that start together; return their results."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
