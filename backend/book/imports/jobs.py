"""Import jobs: queued with their file, processed in batches in the background.

Each batch is one event and one transaction: its titles, row issues, the job's progress and the
event for the next batch are committed together. When a worker is killed, the batch is rolled back
and the event is delivered again, so nothing is imported twice.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from backend.book.imports import csv_parser, records, row_issues, row_validation, upsert
from backend.book.imports.format_detection import Upload
from backend.book.imports.row_issues import IssueCode, RowIssue, warning
from backend.book.schemas.imports import ImportedBook
from backend.shared.domain import audit
from backend.shared.errors import InvalidStateTransition, NotFound
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

# Whichever comes first ends a batch, well below the time limit of a task.
MAX_BATCH_ROWS = 1000
_MAX_BATCH_BYTES = 4 * 1024 * 1024
_MAX_BATCH_SECONDS = 3.0
_MAX_COUNTING_SECONDS = 5.0
JOB_NOT_FOUND = "Import not found."
_UNFINISHED = (ImportState.QUEUED, ImportState.RUNNING)


@dataclass
class _Batch:
    """Records that were read, and what their validation gave."""

    records: list[csv_parser.Record] = field(default_factory=list)
    books: list[tuple[int, ImportedBook]] = field(default_factory=list)
    issues: list[RowIssue] = field(default_factory=list)
    refused: dict[int, Mapping[str, Any]] = field(default_factory=dict)  # rows as uploaded
    total: int | None = None  # rows of the file, counted by the first batch

    def add(self, record: csv_parser.Record) -> None:
        book, issues = row_validation.validate(record)
        self.records.append(record)
        self.issues += issues
        if book is not None:
            self.books.append((record.line, book))
        elif record.source is not None:
            self.refused[record.line] = record.source


def queue(session: Session, actor_id: UUID, upload: Upload, *, dry_run: bool) -> ImportJob:
    """Store the file and publish the event for its first batch."""
    job = ImportJob(
        created_by=actor_id,
        file_name=upload.name,
        format=upload.format,
        encoding=upload.encoding,
        dry_run=dry_run,
    )
    session.add(job)
    session.flush()
    upload.content.seek(0)
    pieces = iter(lambda: upload.content.read(csv_parser.PIECE_BYTES), b"")
    for number, piece in enumerate(pieces):
        session.execute(insert(ImportFile).values(job_id=job.id, piece=number, content=piece))
    outbox.publish(session, ImportQueued(job_id=job.id, state=job.state))
    _audit(session, job, "book.import", {"file": upload.name, "dry_run": dry_run})
    return job


def import_batch(session: Session, job_id: UUID) -> None:
    """Import the next rows of a job, or finish it; idempotent once it is finished."""
    job = session.get(ImportJob, job_id, populate_existing=True)
    if job is None or job.state not in _UNFINISHED:
        return
    problem, batch = None, _Batch()
    try:
        batch = _next_batch(session, job)
    except csv_parser.UnreadableFileError as error:
        problem = str(error)
    # The job is locked only here: a cancellation does not wait for reading and validation.
    started_at = job.offset
    job = database.row_lock(session, ImportJob, job_id)
    if job.state not in _UNFINISHED or job.offset != started_at:
        return
    if job.state is ImportState.QUEUED:
        _start(session, job, batch.total)
    if problem is not None:
        job.problem = problem
        _finish(session, job, ImportState.FAILED)
    elif not batch.records:
        _finish(session, job, ImportState.SUCCEEDED)
    else:
        _import_batch(session, job, batch)
        outbox.publish(session, ImportProgressed(job_id=job.id, **_progress(job)))


def cancel(session: Session, actor_id: UUID, job_id: UUID) -> None:
    """Cancel a job between two batches; imported rows remain. Idempotent once cancelled."""
    job = database.row_lock_or_none(session, ImportJob, job_id)
    if job is None:
        raise NotFound(JOB_NOT_FOUND)
    if job.state is ImportState.CANCELLED:
        return
    if job.state not in _UNFINISHED:
        requested = ImportState.CANCELLED.value
        raise InvalidStateTransition(current=job.state.value, requested=requested, allowed=[])
    _audit(session, job, "book.import_cancel", {"by": str(actor_id)})
    _finish(session, job, ImportState.CANCELLED)


def fail_dead(session: Session) -> None:
    """Fail the jobs whose event became a dead letter."""
    dead = (
        select(ImportJob)
        .join(OutboxEvent, OutboxEvent.aggregate_id == ImportJob.id)
        .where(
            ImportJob.state.in_(_UNFINISHED),
            OutboxEvent.aggregate_type == ImportQueued.AGGREGATE,
            OutboxEvent.dead_at.is_not(None),
        )
        .with_for_update(of=ImportJob, skip_locked=True)
    )
    for job in session.execute(dead).scalars().all():
        job.problem = (
            f"The import failed repeatedly after {job.processed} rows, which are imported."
        )
        _finish(session, job, ImportState.FAILED)


def _next_batch(session: Session, job: ImportJob) -> _Batch:
    """Read and validate the next rows; write nothing."""

    @lru_cache(maxsize=2)
    def piece(number: int) -> bytes | None:
        content = select(ImportFile.content).where(
            ImportFile.job_id == job.id, ImportFile.piece == number
        )
        return session.execute(content).scalar_one_or_none()

    layout = records.detect_layout(piece, job.format, job.encoding)
    batch = _Batch()
    offset, line = job.offset, job.line
    if job.state is ImportState.QUEUED:
        offset, line = layout.offset, layout.line
        batch.total = _count(layout, piece)
    deadline = time.monotonic() + _MAX_BATCH_SECONDS
    for record in records.read(piece, layout, offset, line):
        batch.add(record)
        if (
            len(batch.records) >= MAX_BATCH_ROWS
            or record.end_offset - offset >= _MAX_BATCH_BYTES
            or time.monotonic() > deadline
        ):
            break
    return batch


def _start(session: Session, job: ImportJob, total: int | None) -> None:
    job.state = ImportState.RUNNING
    job.started_at = clock.now()
    job.total = total
    if job.encoding != "utf-8":
        message = (
            "The file is not UTF-8: it was decoded as Windows-1252. Check letters with accents."
        )
        _store_issues(session, job, [warning(1, IssueCode.ENCODING_GUESSED, message)])


def _count(layout: csv_parser.Layout, piece: csv_parser.Pieces) -> int | None:
    """Count the rows; None when it takes too long."""
    deadline = time.monotonic() + _MAX_COUNTING_SECONDS
    count = 0
    for _ in records.read(piece, layout, layout.offset, layout.line):
        count += 1
        if time.monotonic() > deadline:
            return None
    return count


def _import_batch(session: Session, job: ImportJob, batch: _Batch) -> None:
    outcome = upsert.upsert_books(session, None if job.dry_run else job.id, batch.books)
    _store_issues(session, job, [*batch.issues, *outcome.issues], batch.refused)
    job.created += outcome.created
    job.updated += outcome.updated
    job.unchanged += outcome.unchanged
    job.failed += len(batch.records) - len(batch.books)
    job.processed += len(batch.records)
    job.offset, job.line = batch.records[-1].end_offset, batch.records[-1].end_line


def _store_issues(
    session: Session,
    job: ImportJob,
    issues: Sequence[RowIssue],
    refused: Mapping[int, Mapping[str, Any]] | None = None,
) -> None:
    """Store issues; the first one of a row that was refused keeps the row."""
    if not issues:
        return
    job.warnings += sum(issue.severity is Severity.WARNING for issue in issues)
    sources = {row: row_issues.storable(source) for row, source in (refused or {}).items()}
    rows = [
        {
            **asdict(issue),
            "id": ids.uuid7(),
            "job_id": job.id,
            "source": sources.pop(issue.row, None) if issue.severity is Severity.ERROR else None,
        }
        for issue in issues
    ]
    session.connection().execute(insert(ImportRow), rows)


def _finish(session: Session, job: ImportJob, state: ImportState) -> None:
    job.state = state
    if state is not ImportState.CANCELLED:
        job.total = job.processed
    job.finished_at = clock.now()
    session.execute(delete(ImportFile).where(ImportFile.job_id == job.id))
    outbox.publish(session, ImportFinished(job_id=job.id, **_progress(job)))
    counts = {name: getattr(job, name) for name in ("created", "updated", "unchanged", "failed")}
    _audit(session, job, "book.import_finished", {"state": state.value, **counts})


def _progress(job: ImportJob) -> dict[str, object]:
    """Return the progress fields of an event."""
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
