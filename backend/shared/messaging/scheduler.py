"""Periodic jobs, each guarded by a database lock so that several schedulers may run.

A job may state a condition in SQL without which it has nothing to do. The conditions of all due
jobs are read in one statement, so that an idle system costs one select a second.
"""

import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.shared.infra import database, logs, request_context
from backend.shared.infra.request_context import RequestContext

_log = logs.get(__name__)
_MAX_WAIT = 1.0  # seconds


@dataclass(frozen=True)
class PeriodicJob:
    name: str
    every: timedelta
    work: Callable[[Session], None]
    when: str = "true"  # a condition in SQL


PERIODIC_JOBS: list[PeriodicJob] = []


def periodic(
    name: str, every: timedelta, when: str = "true"
) -> Callable[[Callable[[Session], None]], Callable[[Session], None]]:
    """Register an idempotent function that the scheduler runs at this interval."""

    def register(work: Callable[[Session], None]) -> Callable[[Session], None]:
        PERIODIC_JOBS.append(PeriodicJob(name, every, work, when))
        return work

    return register


def run_periodic(job: PeriodicJob) -> bool:
    """Run one periodic job unless another scheduler is running it; return whether it ran."""
    with database.transaction() as session:
        locked = session.execute(
            text("SELECT pg_try_advisory_xact_lock(hashtext(:name))"), {"name": f"job:{job.name}"}
        ).scalar_one()
        if locked:
            request_context.begin(
                RequestContext(), part="celery-worker", job=job.name, host=socket.gethostname()
            )
            job.work(session)
    return bool(locked)


class Scheduler:
    """Runs each periodic job when it is due. Several schedulers may run."""

    def __init__(self, also: Callable[[], None]) -> None:
        self._due = dict.fromkeys((job.name for job in PERIODIC_JOBS), 0.0)
        self._also = also

    def run(self, stopping: threading.Event) -> None:
        """Run jobs, and `also` about once a second, until `stopping` is set."""
        while not stopping.is_set():
            now = time.monotonic()
            due = [job for job in PERIODIC_JOBS if self._due[job.name] <= now]
            for job in due:
                self._due[job.name] = now + job.every.total_seconds()
            for job in with_work(due):
                self._run(job)
            self._also()
            next_due = min(self._due.values(), default=now + _MAX_WAIT)
            stopping.wait(min(max(next_due - time.monotonic(), 0.0), _MAX_WAIT))

    def _run(self, job: PeriodicJob) -> None:
        try:
            run_periodic(job)
        except Exception:  # noqa: BLE001 (a failure of one job must not stop the others)
            _log.warning("periodic job failed", job=job.name, exc_info=True)


def with_work(jobs: Sequence[PeriodicJob]) -> list[PeriodicJob]:
    """Return the jobs whose condition holds; none while the database does not answer."""
    if not jobs:
        return []
    conditions = ", ".join(job.when for job in jobs)
    try:
        with database.reading_engine().connect() as connection:
            found = connection.exec_driver_sql(f"SELECT {conditions}").one()
    except SQLAlchemyError as error:
        _log.warning("periodic jobs not run", error=str(error).splitlines()[0])
        return []
    return [job for job, holds in zip(jobs, found, strict=True) if holds]
