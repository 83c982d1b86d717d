"""Request and response models of loans."""

from enum import StrEnum
from typing import Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from backend.book.schemas import field_types
from backend.book.schemas.actions import ActionRead, OverrideBody, ReasonRead
from backend.shared.models import Condition, LoanChannel, LoanState
from backend.shared.web.schemas import RequestModel, ResponseModel, Timestamp


class LoanRead(ResponseModel):
    """A loan; `overdue` and `actions` are computed at each read."""

    id: UUID
    user_id: UUID | None
    copy_id: UUID
    barcode: str
    book_id: UUID
    book_title: str
    borrowed_at: Timestamp
    due_at: Timestamp
    returned_at: Timestamp | None
    processed_at: Timestamp | None
    renewals: int
    channel: LoanChannel
    state: LoanState
    overdue: bool
    version: int
    actions: list[ActionRead]


class CheckOutBody(RequestModel):
    """A copy, or any free copy of a title, to lend to a member."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "01980000-0000-7000-8000-000000000001",
                    "copy_barcode": "LB000000018",
                }
            ]
        }
    )

    user_id: UUID
    copy_barcode: field_types.Barcode | None = None
    book_id: UUID | None = None
    dry_run: bool = Field(default=False, description="Only say whether it is possible")
    override: OverrideBody | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.copy_barcode is None) == (self.book_id is None):
            raise ValueError("give either copy_barcode or book_id")
        return self


class CheckOutPreview(ResponseModel):
    """The answer to a dry run: whether the loan is possible, else every reason why not."""

    allowed: bool
    reasons: list[ReasonRead]
    barcode: str | None
    due_at: Timestamp | None = Field(description="If the copy were lent now")


class CheckInBody(RequestModel):
    """A copy that is back at the desk."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"copy_barcode": "LB000000018"}]})

    copy_barcode: field_types.Barcode
    condition: Literal[Condition.OK, Condition.DAMAGED] | None = Field(
        default=None, description="DAMAGED sends the copy to repair"
    )


class Destination(StrEnum):
    """Where staff put a copy that they have received."""

    SHELF = "SHELF"
    HOLD_SHELF = "HOLD_SHELF"
    REPAIR = "REPAIR"


class KeptFor(ResponseModel):
    """The hold that a copy is kept for."""

    hold_id: UUID
    user_id: UUID
    member_name: str
    ready_until: Timestamp


class CheckInResult(ResponseModel):
    """The closed loan, if there was one, and where the copy goes."""

    loan: LoanRead | None
    copy_id: UUID
    barcode: str
    book_id: UUID
    book_title: str
    destination: Destination
    shelf_location: str | None
    kept_for: KeptFor | None


class RenewBody(RequestModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{}]})

    override: OverrideBody | None = Field(default=None, description="Staff only")


class RenewAllBody(RequestModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{}]})

    user_id: UUID | None = Field(default=None, description="Staff only: the member")


class Renewal(ResponseModel):
    """The outcome for one loan."""

    loan: LoanRead
    renewed: bool
    reasons: list[ReasonRead]


class RenewedLoans(ResponseModel):
    results: list[Renewal]


class LoanSummary(ResponseModel):
    """A member's open business and limits."""

    user_id: UUID
    open: int
    overdue: int
    open_requests: int
    limit: int
    remaining: int = Field(description="Loans and requests that are still possible")
    next_due_at: Timestamp | None
    holds_waiting: int
    holds_ready: int
    holds_limit: int
