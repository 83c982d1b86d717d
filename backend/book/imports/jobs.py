"""An import as a job in the background: queued with its file, done batch by batch.

Each batch is one event and one transaction: its titles, its remarks, the job's progress and the
event that asks for the next batch are committed together or not at all. A worker that is killed
in the middle leaves the batch undone, the event comes again, and nothing is there twice.
"""

import time
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from backend.book.imports import csv_parser, row_validation, upsert
from backend.book.imports.format_detection import Upload
from backend.book.imports.row_issues import Code, RowIssue, warning
from backend.book.schemas.books import BookCreate
from backend.shared.domain import audit
from backend.shared.events import ImportFinished, ImportProgressed, ImportQueued
from backend.shared.infra import clock, database, ids
from backend.shared.messaging import outbox
from backend.shared.models import (
    ImportFile,
    ImportJob,
    ImportRow,
    ImportState,
    OutboxEvent,
    Severity,
)

# A batch ends with whichever comes first, so that it stays far below a task's time limit.
_BATCH_ROWS = 1000
_BATCH_SECONDS = 3.0
_COUNTING_SECONDS = 5.0
_UNDER_WAY = (ImportState.QUEUED, ImportState.RUNNING)


def queue(session: Session, actor_id: UUID, upload: Upload, *, dry_run: bool) -> ImportJob:
    """Keep the file and ask for its first batch."""
    job = ImportJob(
        created_by=actor_id,
        file_name=upload.name,
        format=upload.format,
        encoding=upload.encoding,
        dry_run=dry_run,
    )
    session.add(job)
    session.flush()
    for number, piece in enumerate(upload.pieces):
        session.execute(insert(ImportFile).values(job_id=job.id, piece=number, content=piece))
    outbox.publish(session, ImportQueued(job_id=job.id, state=job.state))
    _audit(session, job, "book.import", {"file": upload.name, "dry_run": dry_run})
    return job


def do_batch(session: Session, job_id: UUID) -> None:
    """Import the next rows of a job and ask for those after them, or finish it."""
    job = database.row_lock_or_none(session, ImportJob, job_id)
    if job is None or job.state not in _UNDER_WAY:
        return
    try:
        records = _next_records(session, job)
    except csv_parser.UnreadableFileError as error:
        job.problem = str(error)
        _finish(session, job, ImportState.FAILED)
        return
    if not records:
        _finish(session, job, ImportState.SUCCEEDED)
        return
    _import(session, job, records)
    outbox.publish(session, ImportProgressed(job_id=job.id, **_progress(job)))


def end_dead(session: Session) -> None:
    """End as failed the jobs whose event failed too often."""
    dead = (
        select(ImportJob)
        .join(OutboxEvent, OutboxEvent.aggregate_id == ImportJob.id)
        .where(
            ImportJob.state.in_(_UNDER_WAY),
            OutboxEvent.aggregate_type == ImportQueued.AGGREGATE,
            OutboxEvent.dead_at.is_not(None),
        )
        .with_for_update(of=ImportJob, skip_locked=True)
    )
    for job in session.execute(dead).scalars().all():
        job.problem = f"It failed again and again after {job.processed} rows; these are imported."
        _finish(session, job, ImportState.FAILED)


def _next_records(session: Session, job: ImportJob) -> list[csv_parser.Record]:
    def piece(number: int) -> bytes | None:
        wanted = select(ImportFile.content).where(
            ImportFile.job_id == job.id, ImportFile.piece == number
        )
        return session.execute(wanted).scalar_one_or_none()

    layout = csv_parser.layout_of(piece, job.format, job.encoding)
    if job.state is ImportState.QUEUED:
        _start(session, job, layout, piece)
    batch: list[csv_parser.Record] = []
    latest = time.monotonic() + _BATCH_SECONDS
    for record in csv_parser.records(piece, layout, job.offset, job.line):
        batch.append(record)
        if len(batch) >= _BATCH_ROWS or time.monotonic() > latest:
            break
    return batch


def _start(
    session: Session, job: ImportJob, layout: csv_parser.Layout, piece: csv_parser.Pieces
) -> None:
    job.state = ImportState.RUNNING
    job.started_at = clock.now()
    job.offset, job.line = layout.offset, layout.line
    job.total = _count(layout, piece)
    if job.encoding != "utf-8":
        message = "The file is not UTF-8; it was read as Windows-1252. Check names with accents."
        _remark(session, job, [warning(1, Code.ENCODING_GUESSED, message)])


def _count(layout: csv_parser.Layout, piece: csv_parser.Pieces) -> int | None:
    """How many rows there are; None when counting takes too long."""
    latest = time.monotonic() + _COUNTING_SECONDS
    count = 0
    for _ in csv_parser.records(piece, layout, layout.offset, layout.line):
        count += 1
        if time.monotonic() > latest:
            return None
    return count


def _import(session: Session, job: ImportJob, records: Sequence[csv_parser.Record]) -> None:
    remarks: list[RowIssue] = []
    books: list[tuple[int, BookCreate]] = []
    for record in records:
        book, said = row_validation.read(record)
        remarks += said
        if book is not None:
            books.append((record.line, book))
    outcome = upsert.load(session, books, dry_run=job.dry_run)
    _remark(session, job, [*remarks, *outcome.remarks])
    job.created += outcome.created
    job.updated += outcome.updated
    job.unchanged += outcome.unchanged
    job.failed += len(records) - len(books)
    job.processed += len(records)
    job.offset, job.line = records[-1].end_offset, records[-1].end_line


def _remark(session: Session, job: ImportJob, remarks: Sequence[RowIssue]) -> None:
    if not remarks:
        return
    job.warnings += sum(remark.severity is Severity.WARNING for remark in remarks)
    session.connection().execute(
        insert(ImportRow),
        [
            {
                "id": ids.uuid7(),
                "job_id": job.id,
                "row": remark.row,
                "severity": remark.severity,
                "field": remark.field,
                "value": remark.value,
                "code": remark.code.value,
                "message": remark.message,
            }
            for remark in remarks
        ],
    )


def _finish(session: Session, job: ImportJob, state: ImportState) -> None:
    job.state = state
    job.total = job.processed
    job.finished_at = clock.now()
    session.execute(delete(ImportFile).where(ImportFile.job_id == job.id))
    outbox.publish(session, ImportFinished(job_id=job.id, **_progress(job)))
    counts = {name: getattr(job, name) for name in ("created", "updated", "unchanged", "failed")}
    _audit(session, job, "book.import_finished", {"state": state.value, **counts})


def _progress(job: ImportJob) -> dict[str, object]:
    """What an event tells of the job."""
    names = ("state", "total", "processed", "failed", "warnings")
    return {name: getattr(job, name) for name in names}


def _audit(session: Session, job: ImportJob, action: str, changes: dict[str, object]) -> None:
    audit.record(
        session,
        actor_id=job.created_by,
        action=action,
        resource=("import_job", job.id),
        changes=changes,
    )
