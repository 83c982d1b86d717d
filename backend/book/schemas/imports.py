"""Response models of import jobs and their row issues."""

from enum import StrEnum
from uuid import UUID

from backend.book.schemas import field_types
from backend.book.schemas.books import BookFields
from backend.shared.models import ImportState, Severity
from backend.shared.web.schemas import ResponseModel, Timestamp


class ImportedBook(BookFields):
    """A title of an import; it may lack an author."""

    title: field_types.Title
    author: field_types.Author | None = None
    copies: field_types.CopyCount = 1


class ImportAccepted(ResponseModel):
    """The queued job; `GET /books/bulk-import/{job_id}` returns its progress."""

    job_id: UUID


class ImportJobRead(ResponseModel):
    """An import job; each row counts once: created, updated, unchanged or failed."""

    id: UUID
    state: ImportState
    file_name: str | None
    format: str
    dry_run: bool
    total: int | None
    processed: int
    created: int
    updated: int
    unchanged: int
    failed: int
    warnings: int
    problem: str | None
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None
    undone_at: Timestamp | None


class ImportRowRead(ResponseModel):
    """A row issue; `row` is the line in the file (in a JSON body the number of the book)."""

    row: int
    severity: Severity
    field: str | None
    value: str | None
    code: str
    message: str


class ReportContent(StrEnum):
    """What a report lists."""

    ISSUES = "issues"
    ROWS = "rows"


class ImportUndone(ResponseModel):
    """The titles that an undo left as they are, because something has happened to them since."""

    kept: list[UUID]
