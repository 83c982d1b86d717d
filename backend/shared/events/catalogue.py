"""Titles and imports of titles."""

from uuid import UUID

from backend.shared.events.base import RegisteredEvent


class _BookEvent(RegisteredEvent):
    SOURCE = "book-service"
    AGGREGATE = "book"
    book_id: UUID
    title: str


class BookAdded(_BookEvent):
    """A title was added to the catalogue."""

    TYPE = "catalog.book.added"


class BookUpdated(_BookEvent):
    """The record of a title changed."""

    TYPE = "catalog.book.updated"


class BookRemoved(_BookEvent):
    """A title was withdrawn; its history is kept."""

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
    """An import file was accepted; its first batch can be processed."""

    TYPE = "catalog.import.queued"


class ImportProgressed(_ImportEvent):
    """A batch was processed; the consumer processes the next one."""

    TYPE = "catalog.import.progressed"


class ImportFinished(_ImportEvent):
    """An import ended, successfully or not."""

    TYPE = "catalog.import.finished"
