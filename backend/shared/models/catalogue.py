"""Titles, copies and imports. Written by the book service; custody through `shared.custody`."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from backend.shared.models.base import Base, CreatedAt, Id, UpdatedAt, text_enum

_IN_CATALOGUE = text("withdrawn_at IS NULL")


class BookStatus(StrEnum):
    """That of the best copy in usable condition (api.md §6)."""

    AVAILABLE = "AVAILABLE"
    RESERVED = "RESERVED"
    CHECKED_OUT = "CHECKED_OUT"
    UNAVAILABLE = "UNAVAILABLE"


class Condition(StrEnum):
    """What people decide about a copy."""

    OK = "OK"
    REFERENCE_ONLY = "REFERENCE_ONLY"
    IN_PROCESS = "IN_PROCESS"
    DAMAGED = "DAMAGED"
    MISSING = "MISSING"
    LOST = "LOST"
    WITHDRAWN = "WITHDRAWN"


class Custody(StrEnum):
    """Where events have put a copy."""

    ON_SHELF = "ON_SHELF"
    RESERVED = "RESERVED"
    ON_ROBOT = "ON_ROBOT"
    ON_LOAN = "ON_LOAN"
    ON_HOLD_SHELF = "ON_HOLD_SHELF"
    AT_DESK = "AT_DESK"


class CopyKind(StrEnum):
    """Which loan policy applies to a copy."""

    STANDARD = "STANDARD"
    SHORT_LOAN = "SHORT_LOAN"


class Book(Base):
    __tablename__ = "books"

    id: Mapped[Id]
    isbn: Mapped[str | None]  # ISBN-13 digits
    other_identifiers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    title: Mapped[str]
    subtitle: Mapped[str | None]
    author: Mapped[str | None]  # an import may lack it
    contributors: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    publisher: Mapped[str | None]
    publication_year: Mapped[int | None] = mapped_column(SmallInteger)
    edition: Mapped[str | None]
    description: Mapped[str | None]
    subjects: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    language: Mapped[str | None]
    cover_image_url: Mapped[str | None]
    call_number: Mapped[str | None]
    shelf_location: Mapped[str | None]
    # The next three are kept by the database from the copies (trigger derive_books).
    status: Mapped[BookStatus] = mapped_column(
        text_enum(BookStatus), server_default=BookStatus.UNAVAILABLE
    )
    copies_total: Mapped[int] = mapped_column(server_default="0")
    copies_available: Mapped[int] = mapped_column(server_default="0")
    # The next four are kept by trigger index_book.
    search: Mapped[str] = mapped_column(TSVECTOR, server_default="")
    title_words: Mapped[str] = mapped_column(server_default="")
    main_title_words: Mapped[str] = mapped_column(server_default="")
    doc_words: Mapped[str] = mapped_column(server_default="")
    version: Mapped[int] = mapped_column(default=1)
    withdrawn_at: Mapped[datetime | None]
    # The title that took over the copies of this duplicate.
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("books.id"))
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        CheckConstraint("isbn ~ '^97[89][0-9]{10}$'", name="isbn_13"),
        Index(
            "uq_books_isbn",
            "isbn",
            unique=True,
            postgresql_where=text("isbn IS NOT NULL AND withdrawn_at IS NULL"),
        ),
        Index("ix_books_search", "search", postgresql_using="gin"),
        Index(
            "ix_books_doc_words",
            "doc_words",
            postgresql_using="gin",
            postgresql_ops={"doc_words": "gin_trgm_ops"},
        ),
        Index(
            "ix_books_main_title_words",
            "main_title_words",
            "id",
            postgresql_ops={"main_title_words": "text_pattern_ops"},
        ),
        Index("ix_books_title", text("lower(title)"), "id", postgresql_where=_IN_CATALOGUE),
        Index("ix_books_author", text("lower(author)"), "id", postgresql_where=_IN_CATALOGUE),
        Index(
            "ix_books_publication_year", "publication_year", "id", postgresql_where=_IN_CATALOGUE
        ),
        Index(
            "ix_books_publication_year_desc",
            text("publication_year DESC NULLS LAST"),
            text("id DESC"),
            postgresql_where=_IN_CATALOGUE,
        ),
        Index("ix_books_created_at", "created_at", "id", postgresql_where=_IN_CATALOGUE),
        Index("ix_books_status", "status", "created_at", "id", postgresql_where=_IN_CATALOGUE),
        Index("ix_books_language", "language", "created_at", "id", postgresql_where=_IN_CATALOGUE),
        Index(
            "ix_books_other_identifiers",
            "other_identifiers",
            postgresql_using="gin",
            postgresql_ops={"other_identifiers": "jsonb_path_ops"},
        ),
        Index(
            "ix_books_merged_into_id",
            "merged_into_id",
            postgresql_where=text("merged_into_id IS NOT NULL"),
        ),
    )
    __mapper_args__ = {"version_id_col": version}


class Copy(Base):
    """One physical volume with a barcode."""

    __tablename__ = "copies"

    id: Mapped[Id]
    book_id: Mapped[UUID] = mapped_column(ForeignKey("books.id"))
    barcode: Mapped[str] = mapped_column(unique=True)
    condition: Mapped[Condition] = mapped_column(text_enum(Condition), default=Condition.OK)
    custody: Mapped[Custody] = mapped_column(text_enum(Custody), default=Custody.ON_SHELF)
    kind: Mapped[CopyKind] = mapped_column(
        text_enum(CopyKind), default=CopyKind.STANDARD, server_default=CopyKind.STANDARD
    )
    shelf_location: Mapped[str | None]
    call_number: Mapped[str | None]
    home_workstation_id: Mapped[UUID | None] = mapped_column(ForeignKey("waypoints.id"))
    # Where it is while AT_DESK; while RESERVED or ON_ROBOT the desk it was taken from.
    waypoint_id: Mapped[UUID | None] = mapped_column(ForeignKey("waypoints.id"))
    robot_transportable: Mapped[bool] = mapped_column(default=True)
    note: Mapped[str | None]
    last_seen_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]

    __table_args__ = (
        CheckConstraint(
            "custody IN ('RESERVED', 'ON_ROBOT') "
            "OR (custody = 'AT_DESK') = (waypoint_id IS NOT NULL)",
            name="at_desk_has_a_place",
        ),
        Index("ix_copies_book_id", "book_id", "custody", "condition", "id"),
        Index("ix_copies_shelf_location", "shelf_location"),
        Index("ix_copies_custody", "custody", "id", postgresql_where=text("custody <> 'ON_SHELF'")),
        Index("ix_copies_condition", "condition", "id", postgresql_where=text("condition <> 'OK'")),
        Index("ix_copies_waypoint_id", "waypoint_id"),
        Index("ix_copies_home_workstation_id", "home_workstation_id"),
    )
    __mapper_args__ = {"version_id_col": version}


class CopyHistory(Base):
    """One change of a copy's custody or condition."""

    __tablename__ = "copy_history"

    id: Mapped[Id]
    copy_id: Mapped[UUID] = mapped_column(ForeignKey("copies.id"))
    from_custody: Mapped[Custody] = mapped_column(text_enum(Custody, "from_custody"))
    to_custody: Mapped[Custody] = mapped_column(text_enum(Custody, "to_custody"))
    from_condition: Mapped[Condition] = mapped_column(text_enum(Condition, "from_condition"))
    to_condition: Mapped[Condition] = mapped_column(text_enum(Condition, "to_condition"))
    place: Mapped[str | None]  # name of the waypoint, or the shelf
    task_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("delivery_tasks.id", ondelete="SET NULL")
    )
    changed_by: Mapped[str]  # a user's id, or the component that acted
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        Index("ix_copy_history_copy_id", "copy_id", "id"),
        Index("ix_copy_history_task_id", "task_id"),
    )


class ImportState(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Severity(StrEnum):
    ERROR = "ERROR"
    WARNING = "WARNING"


class ImportJob(Base):
    __tablename__ = "import_jobs"

    id: Mapped[Id]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    state: Mapped[ImportState] = mapped_column(text_enum(ImportState), default=ImportState.QUEUED)
    file_name: Mapped[str | None]
    format: Mapped[str]
    encoding: Mapped[str] = mapped_column(default="utf-8")  # as told at the upload, from all bytes
    dry_run: Mapped[bool] = mapped_column(default=False)
    total: Mapped[int | None]
    processed: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    warnings: Mapped[int] = mapped_column(default=0)
    offset: Mapped[int] = mapped_column(default=0)  # where in the file the next batch begins,
    line: Mapped[int] = mapped_column(default=0)  # and how many lines stand before it
    problem: Mapped[str | None]  # why the job as a whole failed
    created_at: Mapped[CreatedAt]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_import_jobs_finished_at", "finished_at"),)


class ImportFile(Base):
    """The uploaded bytes in pieces, so that any worker on any machine can read them."""

    __tablename__ = "import_files"

    job_id: Mapped[UUID] = mapped_column(
        ForeignKey("import_jobs.id", ondelete="CASCADE"), primary_key=True
    )
    piece: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportRow(Base):
    """One complaint about one row of an import."""

    __tablename__ = "import_rows"

    id: Mapped[Id]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("import_jobs.id", ondelete="CASCADE"))
    row: Mapped[int]
    severity: Mapped[Severity] = mapped_column(text_enum(Severity))
    field: Mapped[str | None]
    value: Mapped[str | None]
    code: Mapped[str]
    message: Mapped[str]
    # A refused row as uploaded, in the order of its columns; of its first issue only.
    source: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))

    __table_args__ = (Index("ix_import_rows_job_id", "job_id", "row"),)


class ImportTitle(Base):
    """A title that an import was about, for later rows of the file and for an undo."""

    __tablename__ = "import_titles"

    job_id: Mapped[UUID] = mapped_column(
        ForeignKey("import_jobs.id", ondelete="CASCADE"), primary_key=True
    )
    book_id: Mapped[UUID] = mapped_column(ForeignKey("books.id"), primary_key=True)
    row: Mapped[int]  # the first row about it
    is_created: Mapped[bool]
    before: Mapped[dict[str, Any] | None]  # the values that the import has replaced
    version: Mapped[int]  # of the title after the import
