"""Request and response models of deliveries, the pick list and the locations."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.delivery.schemas.tasks import CopyBarcode, LocationName, PersonRead, ShortText
from backend.shared.models import Priority, Stage, TaskStatus, WaypointKind
from backend.shared.web.schemas import FilledText, RequestModel, ResponseModel, Timestamp


class DeliveryCancel(RequestModel):
    reason: ShortText | None = None
    book_location: Annotated[
        FilledText | None,
        Field(max_length=200, description="Where the book is, or MISSING; for a failed delivery"),
    ] = None


class BookPlaced(RequestModel):
    robot_id: UUID | None = None
    copy_barcode: CopyBarcode | None = None
    attempt: Annotated[int, Field(ge=1, le=1000)] | None = None


class FailBody(RequestModel):
    reason: Annotated[FilledText, Field(max_length=500, examples=["The robot lies in the lift"])]
    book_location: Annotated[FilledText | None, Field(max_length=200)] = None


class PriorityBody(RequestModel):
    priority: Priority


class StaffDelivery(RequestModel):
    """A delivery that staff create, of any free copy of a title or of one copy by its barcode."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "copy_barcode": "LB000000017",
                    "source_location": "Circulation Desk",
                    "destination_location": "First Floor Desk",
                }
            ]
        },
    )

    book_id: UUID | None = None
    copy_barcode: CopyBarcode | None = None
    source_location: LocationName
    destination_location: LocationName
    priority: Priority = Priority.NORMAL
    recipient_id: UUID | None = None
    notes: ShortText | None = None
    to_shelf: Annotated[
        FilledText | None,
        Field(max_length=64, description="Of a transfer: the copy's new shelf location"),
    ] = None


class LocationRead(ResponseModel):
    id: UUID
    name: str
    location_code: str
    kind: WaypointKind
    floor: int
    x: float
    y: float


class PickRead(ResponseModel):
    """A book to fetch from the shelf."""

    task_id: UUID
    reference: str
    priority: Priority
    status: TaskStatus
    stage: Stage | None
    book_title: str
    author: str | None
    copy_barcode: str
    shelf_location: str | None
    call_number: str | None
    bring_to: str
    floor: int
    sequence: int | None = Field(description="Place in the walk along the shelves, from 1")
    batch: int | None = Field(description="The trip in which it is carried, from 1")
    claimed_by: PersonRead | None
    robot_name: str | None
    created_at: Timestamp
    version: int = Field(description="Of the delivery; its ETag is this number in hexadecimal")
