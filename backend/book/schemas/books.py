"""Titles, copies and loans as clients send and see them."""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, field_validator

from backend.book.schemas import field_types
from backend.shared.models import BookStatus, Condition, Custody
from backend.shared.web.schemas import RequestModel, ResponseModel, Timestamp

_BOOK: dict[str, JsonValue] = {
    "isbn": "978-0-201-83595-3",
    "title": "The Mythical Man-Month",
    "subtitle": "Essays on Software Engineering",
    "author": "Frederick P. Brooks",
    "publisher": "Addison-Wesley",
    "publication_year": 1995,
    "language": "en",
    "subjects": ["software engineering", "project management"],
    "call_number": "005.1 BRO",
    "shelf_location": "A-01-6",
    "copies": 2,
}


def not_null(value: Any) -> Any:
    if value is None:
        raise ValueError("may not be null")
    return value


class _BookFields(RequestModel):
    isbn: field_types.MaybeIsbn = None
    subtitle: field_types.MaybeLine = None
    contributors: field_types.Contributors = []
    publisher: field_types.MaybeLine = None
    publication_year: field_types.Year | None = None
    edition: field_types.MaybeLine = None
    description: field_types.MaybeText = None
    subjects: field_types.Subjects = []
    language: field_types.MaybeCode = None
    cover_image_url: field_types.MaybeAddress = None
    call_number: field_types.MaybeCode = None
    shelf_location: field_types.MaybeCode = None


class BookCreate(_BookFields):
    """A new title; `copies` are made with it, each with a barcode of its own."""

    model_config = ConfigDict(json_schema_extra={"examples": [_BOOK]})

    title: field_types.Title
    author: field_types.Author
    copies: field_types.CopyCount = 1


class BookUpdate(_BookFields):
    """The fields to change; those left out stay, null empties one that may be empty."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"shelf_location": "B-02-1", "subjects": ["software"]}]}
    )

    title: field_types.Title | None = None
    author: field_types.Author | None = None

    _needed = field_validator("title", "author", mode="before")(not_null)


class BookRead(ResponseModel):
    """A title in a list."""

    id: UUID
    isbn: str | None
    title: str
    subtitle: str | None
    author: str
    publisher: str | None
    publication_year: int | None
    description: str | None
    cover_image_url: str | None
    status: BookStatus
    shelf_location: str | None
    call_number: str | None
    subjects: list[str]
    language: str | None
    copies_total: int
    copies_available: int
    created_at: Timestamp
    updated_at: Timestamp


class CopySummary(ResponseModel):
    id: UUID
    barcode: str
    condition: Condition
    custody: Custody
    shelf_location: str | None
    call_number: str | None


class BookDetail(BookRead):
    """One title with its copies; `version` is what the ETag tells."""

    contributors: list[str]
    edition: str | None
    version: int
    copies: list[CopySummary] = Field(description="Withdrawn copies are left out")
