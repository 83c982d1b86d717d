"""Requests, returns and deliveries as clients send and get them (api.md §7)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from backend.shared.models import (
    Priority,
    RequestStatus,
    ReturnStatus,
    Stage,
    TaskStatus,
    TaskType,
    WaypointKind,
)
from backend.shared.web.schemas import FilledText, PlainText, RequestModel, ResponseModel, Timestamp

Place = Annotated[
    FilledText, Field(max_length=100, examples=["Study Room 201"], description="Name or code")
]
ShortText = Annotated[PlainText, Field(max_length=500)]


class RequestCreate(RequestModel):
    book_id: UUID
    request_location: Place
    notes: ShortText | None = None
    user_id: Annotated[UUID | None, Field(description="Staff may ask for a member")] = None


class ReturnCreate(RequestModel):
    book_id: UUID
    pickup_location: Place
    user_id: Annotated[UUID | None, Field(description="Staff may ask for a member")] = None


class EmptyBody(RequestModel):
    """A transition without fields: no body, or `{}`."""


class RequestComplete(RequestModel):
    handover_code: Annotated[str, Field(pattern="^[0-9]{4}$", examples=["4711"])] | None = None
    reason: Annotated[FilledText, Field(max_length=500)] | None = None


class CancelBody(RequestModel):
    reason: ShortText | None = None


class DeliveryCancel(RequestModel):
    reason: ShortText | None = None
    book_location: Annotated[
        FilledText | None,
        Field(max_length=200, description="Where the book is, or MISSING; for a failed delivery"),
    ] = None


class BookPlaced(RequestModel):
    robot_id: UUID | None = None
    copy_barcode: Annotated[FilledText, Field(max_length=64)] | None = None
    attempt: Annotated[int, Field(ge=1, le=1000)] | None = None


class FailBody(RequestModel):
    reason: Annotated[FilledText, Field(max_length=500, examples=["The robot lies in the lift"])]
    book_location: Annotated[FilledText | None, Field(max_length=200)] = None


class PriorityBody(RequestModel):
    priority: Priority


class StaffDelivery(RequestModel):
    """A book for a colleague, a workstation or another section: by title or by its barcode."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
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
    copy_barcode: Annotated[FilledText, Field(max_length=64)] | None = None
    source_location: Place
    destination_location: Place
    priority: Priority = Priority.NORMAL
    recipient_id: UUID | None = None
    notes: ShortText | None = None


class RobotPosition(BaseModel):
    model_config = ConfigDict(frozen=True)

    x: float
    y: float
    theta: float = 0.0
    floor: int = 1


class HistoryRead(ResponseModel):
    from_status: TaskStatus | None
    to_status: TaskStatus
    from_stage: Stage | None
    to_stage: Stage | None
    changed_by: str
    reason: str | None
    created_at: Timestamp


class TaskRead(ResponseModel):
    id: UUID
    reference: str
    task_type: TaskType
    status: TaskStatus
    stage: Stage | None
    priority: Priority
    request_id: UUID | None
    return_id: UUID | None
    book_id: UUID
    copy_id: UUID
    copy_barcode: str
    book_title: str
    source_location: str
    destination_location: str
    assigned_robot_id: UUID | None
    robot_name: str | None
    eta: Timestamp | None
    attempt: int
    failure_reason: str | None
    book_location: str | None
    version: int
    created_at: Timestamp
    started_at: Timestamp | None
    loaded_at: Timestamp | None
    arrived_at: Timestamp | None
    completed_at: Timestamp | None


class TaskDetail(TaskRead):
    history: list[HistoryRead]


class TaskSummary(ResponseModel):
    """A journey as the one it serves sees it."""

    id: UUID
    reference: str
    status: TaskStatus
    stage: Stage | None
    eta: Timestamp | None
    robot_position: RobotPosition | None


class RequestRead(ResponseModel):
    id: UUID
    user_id: UUID
    book_id: UUID
    copy_id: UUID
    book_title: str
    request_location: str
    status: RequestStatus
    notes: str | None
    cancel_reason: str | None
    requested_at: Timestamp
    completed_at: Timestamp | None
    handover_code: str | None
    task: TaskSummary


class RequestDetail(RequestRead):
    history: list[HistoryRead]


class ReturnRead(ResponseModel):
    id: UUID
    user_id: UUID
    book_id: UUID
    loan_id: UUID
    book_title: str
    pickup_location: str
    status: ReturnStatus
    cancel_reason: str | None
    initiated_at: Timestamp
    picked_up_at: Timestamp | None
    completed_at: Timestamp | None
    task: TaskSummary


class ReturnDetail(ReturnRead):
    history: list[HistoryRead]


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
    author: str
    copy_barcode: str
    shelf_location: str | None
    call_number: str | None
    bring_to: str
    robot_name: str | None
    created_at: Timestamp


def pose_of(pose: dict[str, Any] | None) -> RobotPosition | None:
    return None if pose is None else RobotPosition.model_validate(pose)


def later_of(eta: datetime | None, now: datetime) -> datetime | None:
    """An arrival that is overdue is due now: the past is never promised."""
    return None if eta is None else max(eta, now)
