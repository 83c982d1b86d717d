"""Request and response models of copies."""

from uuid import UUID

from pydantic import ConfigDict, field_validator

from backend.book.schemas import field_types
from backend.book.schemas.books import CopySummary, not_null
from backend.shared.models import Condition
from backend.shared.web.schemas import RequestModel, Timestamp


class CopyCreate(RequestModel):
    """One more copy; without `barcode` it gets a new one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"shelf_location": "A-01-6", "condition": "OK"}]}
    )

    barcode: field_types.Barcode | None = None
    condition: Condition = Condition.OK
    shelf_location: field_types.MaybeCode = None
    call_number: field_types.MaybeCode = None
    home_workstation_id: UUID | None = None
    robot_transportable: bool = True
    note: field_types.MaybeLine = None


class CopyUpdate(RequestModel):
    """The fields to change. Where a copy is and who has it is not among them: events decide."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"condition": "DAMAGED", "note": "cover torn"}]}
    )

    barcode: field_types.Barcode | None = None
    condition: Condition | None = None
    shelf_location: field_types.MaybeCode = None
    call_number: field_types.MaybeCode = None
    home_workstation_id: UUID | None = None
    robot_transportable: bool | None = None
    note: field_types.MaybeLine = None

    _needed = field_validator("barcode", "condition", "robot_transportable", mode="before")(
        not_null
    )


class CopyRead(CopySummary):
    book_id: UUID
    home_workstation_id: UUID | None
    robot_transportable: bool
    note: str | None
    last_seen_at: Timestamp | None
    version: int
    created_at: Timestamp
    updated_at: Timestamp
