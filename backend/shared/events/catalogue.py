"""Titles and imports of titles."""

from uuid import UUID

from backend.shared.events.base import RegisteredEvent


class _BookEvent(RegisteredEvent):
    SOURCE = "book-service"
    AGGREGATE = "book"
    book_id: UUID
    title: str


class BookAdded(_BookEvent):
    """A title is in the catalogue."""

    TYPE = "catalog.book.added"


class BookUpdated(_BookEvent):
    """What the catalogue says of a title has changed."""

    TYPE = "catalog.book.updated"


class BookRemoved(_BookEvent):
    """A title is withdrawn; its history is kept."""

    TYPE = "catalog.book.removed"


class _ImportEvent(RegisteredEvent):
    SOURCE = "book-service"
    AGGREGATE = "import_job"
    job_id: UUID
    state: str
    total: int | None = None
    processed: int = 0
    failed: int = 0
    warnings: int = 0


class ImportQueued(_ImportEvent):
    """A file was taken; its first batch may begin."""

    TYPE = "catalog.import.queued"


class ImportProgressed(_ImportEvent):
    """A batch is done; its consumer does the next."""

    TYPE = "catalog.import.progressed"


class ImportFinished(_ImportEvent):
    """An import has come to its end, well or not."""

    TYPE = "catalog.import.finished"
