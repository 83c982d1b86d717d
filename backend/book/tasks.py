"""Events that the book service reacts to."""

from sqlalchemy.orm import Session

from backend.book.imports import jobs
from backend.shared.events import ImportProgressed, ImportQueued
from backend.shared.subscribers import IMPORT
from backend.shared.worker import Delivery, consumer


@consumer(IMPORT)
def import_batch(
    session: Session, event: ImportQueued | ImportProgressed, _delivery: Delivery
) -> None:
    """One batch of an import; it publishes the event that brings the next."""
    jobs.do_batch(session, event.job_id)
