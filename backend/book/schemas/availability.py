"""Response models of the availability of a title."""

from uuid import UUID

from pydantic import Field

from backend.book.schemas.copies import CopySummary
from backend.shared.models import BookStatus
from backend.shared.web.schemas import ResponseModel, Timestamp


class CopyAvailability(CopySummary):
    status: BookStatus
    due_at: Timestamp | None = Field(description="Due date of the open loan")


class ShelfCount(ResponseModel):
    shelf_location: str | None
    status: BookStatus
    copies: int


class Availability(ResponseModel):
    book_id: UUID
    available: bool
    status: BookStatus
    copies_total: int
    copies_available: int
    copies: list[CopyAvailability]
    shelves: list[ShelfCount]
    next_due_at: Timestamp | None = Field(description="Earliest due date of the open loans")
    holds_waiting: int
