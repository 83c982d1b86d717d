"""Request and response models of titles."""

from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, field_validator

from backend.book.schemas import field_types
from backend.book.schemas.actions import ActionRead
from backend.book.schemas.copies import CopySummary
from backend.shared.models import BookStatus
from backend.shared.web.schemas import RequestModel, ResponseModel, Timestamp

_BOOK_EXAMPLE: dict[str, JsonValue] = {
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


class BookFields(RequestModel):
    """The fields of a title that may be absent."""

    isbn: field_types.OptionalIsbn = None
    subtitle: field_types.OptionalLine = None
    contributors: field_types.Contributors = []
    publisher: field_types.OptionalLine = None
    publication_year: field_types.Year | None = None
    edition: field_types.OptionalLine = None
    description: field_types.OptionalText = None
    subjects: field_types.Subjects = []
    language: field_types.OptionalCode = None
    cover_image_url: field_types.OptionalUrl = None
    call_number: field_types.OptionalCode = None
    shelf_location: field_types.OptionalCode = None
    other_identifiers: field_types.Identifiers = {}


class BookCreate(BookFields):
    """A title to create with `copies`, each with a new barcode."""

    model_config = ConfigDict(json_schema_extra={"examples": [_BOOK_EXAMPLE]})

    title: field_types.Title
    author: field_types.Author
    copies: field_types.CopyCount = 1


class BookUpdate(BookFields):
    """Title fields to change; omitted fields keep their value, null clears an optional one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"shelf_location": "B-02-1", "subjects": ["software"]}]}
    )

    title: field_types.Title | None = None
    author: field_types.Author | None = None

    _required = field_validator("title", "author", mode="before")(field_types.not_null)


class BookRead(ResponseModel):
    """A title in a list."""

    id: UUID
    isbn: str | None
    title: str
    subtitle: str | None
    author: str | None
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


class BookDetail(BookRead):
    """A title with its copies; `version` is the source of the ETag."""

    contributors: list[str]
    edition: str | None
    other_identifiers: dict[field_types.Scheme, list[str]]
    version: int
    copies: list[CopySummary] = Field(description="Without withdrawn copies")
    merged_into: UUID | None = Field(
        default=None, description="The book whose data this is, when the id was of a duplicate"
    )
    actions: list[ActionRead] | None = Field(
        default=None, description="With `actions=true`: what the caller can do now"
    )


class MergeBody(RequestModel):
    """The title that takes over the copies and holds of a duplicate."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"into": "01980000-0000-7000-8000-000000000001"}]}
    )

    into: UUID


class MergeRead(ResponseModel):
    id: UUID
    book_id: UUID
    into_id: UUID
    copies: list[UUID] = Field(description="The copies that were moved")
    created_at: Timestamp
