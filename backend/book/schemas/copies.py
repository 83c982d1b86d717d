"""Request and response models of copies."""

from uuid import UUID

from pydantic import ConfigDict, Field, field_validator

from backend.book.schemas import field_types
from backend.shared.models import Condition, CopyKind, Custody
from backend.shared.web.schemas import RequestModel, ResponseModel, Timestamp


class _CopyFields(RequestModel):
    barcode: field_types.Barcode | None = None
    shelf_location: field_types.OptionalCode = None
    call_number: field_types.OptionalCode = None
    home_workstation_id: UUID | None = None
    note: field_types.OptionalLine = None


class CopyCreate(_CopyFields):
    """A copy to create; without `barcode` it gets a new one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"shelf_location": "A-01-6", "condition": "OK"}]}
    )

    condition: Condition = Condition.OK
    kind: CopyKind = Field(default=CopyKind.STANDARD, description="Which loan policy applies")
    robot_transportable: bool = True


class CopyUpdate(_CopyFields):
    """Copy fields to change. Custody is not among them: only events change it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"condition": "DAMAGED", "note": "cover torn"}]}
    )

    condition: Condition | None = None
    kind: CopyKind | None = None
    robot_transportable: bool | None = None

    _required = field_validator(
        "barcode", "condition", "kind", "robot_transportable", mode="before"
    )(field_types.not_null)


class ShelveBody(RequestModel):
    """Where to put a copy; its own shelf when left out."""

    shelf_location: field_types.OptionalCode = None


class CopySummary(ResponseModel):
    """A copy as its title lists it."""

    id: UUID
    barcode: str
    condition: Condition
    custody: Custody
    shelf_location: str | None
    call_number: str | None


class CopyRead(CopySummary):
    """A copy in full."""

    book_id: UUID
    home_workstation_id: UUID | None
    kind: CopyKind
    waypoint_id: UUID | None = Field(description="Where it is while AT_DESK")
    robot_transportable: bool
    note: str | None
    last_seen_at: Timestamp | None
    version: int
    created_at: Timestamp
    updated_at: Timestamp
