"""Periodic jobs, each guarded by a database lock so that several schedulers may run."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from backend.shared.infra import database, request_context
from backend.shared.infra.request_context import RequestContext


@dataclass(frozen=True)
class PeriodicJob:
    name: str
    every: timedelta
    work: Callable[[Session], None]


PERIODIC_JOBS: list[PeriodicJob] = []


def periodic(
    name: str, every: timedelta
) -> Callable[[Callable[[Session], None]], Callable[[Session], None]]:
    """Register an idempotent function that the scheduler runs at this interval."""

    def register(work: Callable[[Session], None]) -> Callable[[Session], None]:
        PERIODIC_JOBS.append(PeriodicJob(name, every, work))
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
