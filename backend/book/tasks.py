"""Events that the book service reacts to."""

from datetime import timedelta

from sqlalchemy.orm import Session

from backend.book.imports import jobs
from backend.shared.events import ImportProgressed, ImportQueued
from backend.shared.messaging.inbox import EventContext, consumer
from backend.shared.messaging.scheduler import periodic
from backend.shared.messaging.subscriptions import IMPORT


@consumer(IMPORT)
def import_batch(
    session: Session, event: ImportQueued | ImportProgressed, _delivery: EventContext
) -> None:
    """One batch of an import; it publishes the event that brings the next."""
    jobs.do_batch(session, event.job_id)


@periodic("catalog.end_dead_imports", timedelta(minutes=1))
def end_dead_imports(session: Session) -> None:
    """A job whose event became a dead letter would else be under way for ever."""
    jobs.end_dead(session)
