"""Models of scanned copies and of a stock-take."""

from enum import StrEnum
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.book.schemas import field_types
from backend.book.schemas.actions import ActionRead
from backend.book.schemas.copies import CopyRead
from backend.book.schemas.loans import KeptFor, LoanRead
from backend.shared.models import Condition, LoanState
from backend.shared.web.schemas import RequestModel, ResponseModel, Timestamp


class MemberRead(ResponseModel):
    id: UUID
    name: str


class ScannedCopy(ResponseModel):
    """A copy, its title, who has it, and what can be done with it now."""

    copy_: CopyRead = Field(alias="copy")
    book_id: UUID
    book_title: str
    author: str | None
    place: str | None = Field(description="The desk or shelf where it is")
    loan: LoanRead | None
    member: MemberRead | None = Field(description="Who has it on loan")
    kept_for: KeptFor | None
    request_id: UUID | None = Field(description="The open request that it is reserved for")
    actions: list[ActionRead]

    model_config = ConfigDict(populate_by_name=True)


class StockTakeBody(RequestModel):
    """The barcodes seen at a shelf."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"shelf_location": "A-01-6", "barcodes": ["LB000000018"]}]}
    )

    shelf_location: field_types.OptionalCode = None
    barcodes: list[field_types.Barcode] = Field(min_length=1, max_length=2000)
    is_complete: bool = Field(
        default=True, description="All copies of the shelf were scanned: others are candidates"
    )


class Finding(StrEnum):
    """What a scan at a shelf shows."""

    IN_PLACE = "IN_PLACE"
    MISPLACED = "MISPLACED"
    FOUND_AGAIN = "FOUND_AGAIN"
    ON_LOAN = "ON_LOAN"
    NOT_EXPECTED = "NOT_EXPECTED"
    UNKNOWN = "UNKNOWN"
    MISSING_CANDIDATE = "MISSING_CANDIDATE"


class StockTakeItem(ResponseModel):
    barcode: str
    finding: Finding
    book_title: str | None
    shelf_location: str | None = Field(description="Where the copy belongs")


class StockTakeResult(ResponseModel):
    """What is not in its place; copies in place are only counted."""

    in_place: int
    items: list[StockTakeItem]


class StaffListRow(ResponseModel):
    """A row of a list for staff; which fields a list has is in its description."""

    id: UUID
    title: str
    author: str | None = None
    barcode: str | None = None
    call_number: str | None = None
    shelf_location: str | None = None
    condition: Condition | None = None
    state: LoanState | None = None
    due_at: Timestamp | None = None
    ready_until: Timestamp | None = None
    to_clear: bool | None = None
    user_id: UUID | None = None
    member_name: str | None = None
    email: str | None = None
    copies_total: int | None = None
    waiting: int | None = None
    created_at: Timestamp | None = None
    last_seen_at: Timestamp | None = None
