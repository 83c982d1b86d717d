"""Event handlers and periodic jobs of the book service."""

from datetime import timedelta

from sqlalchemy.orm import Session

from backend.book.imports import jobs
from backend.book.search import vocabulary
from backend.book.service import holds
from backend.shared.domain.circulation import notices
from backend.shared.events import ImportProgressed, ImportQueued
from backend.shared.messaging.inbox import EventContext, consumer
from backend.shared.messaging.scheduler import periodic
from backend.shared.messaging.subscriptions import IMPORT


@consumer(IMPORT)
def import_batch(
    session: Session, event: ImportQueued | ImportProgressed, _context: EventContext
) -> None:
    """Import one batch; publishes the event that triggers the next."""
    jobs.import_batch(session, event.job_id)


@periodic("catalog.refresh_vocabulary", timedelta(minutes=1))
def refresh_vocabulary(session: Session) -> None:
    """Let corrections and suggestions follow the catalogue."""
    vocabulary.refresh_if_stale(session)


@periodic("catalog.end_dead_imports", timedelta(minutes=1))
def fail_dead_imports(session: Session) -> None:
    """Fail the jobs whose event became a dead letter; they would stay RUNNING otherwise."""
    jobs.fail_dead(session)


@periodic("catalog.serve_holds", timedelta(minutes=1))
def serve_holds(session: Session) -> None:
    """Expire holds that nobody fetched and serve the queues."""
    holds.expire(session)
    holds.serve(session)


@periodic("catalog.remind", timedelta(minutes=10))
def remind(session: Session) -> None:
    """Remind members of due dates: at most one digest a member and day."""
    notices.remind(session)
