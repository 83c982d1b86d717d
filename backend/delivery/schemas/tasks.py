"""Delivery tasks in responses, and the fields that requests, returns and deliveries share."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from backend.delivery.schemas.actions import TaskActionRead
from backend.shared.models import (
    EtaReason,
    Priority,
    Stage,
    TaskStatus,
    TaskType,
    WaitingReason,
)
from backend.shared.web.schemas import FilledText, PlainText, RequestModel, ResponseModel, Timestamp

LocationName = Annotated[
    FilledText,
    Field(
        max_length=100,
        examples=["Study Room 201"],
        description="Name or location code of a waypoint, in any case",
    ),
]
ShortText = Annotated[PlainText, Field(max_length=500)]
CopyBarcode = Annotated[FilledText, Field(max_length=64)]
MemberId = Annotated[
    UUID | None, Field(description="Librarians: the member on whose behalf this is created")
]


class CancelBody(RequestModel):
    reason: ShortText | None = None


class RobotPosition(BaseModel):
    """Metres on the floor plan; `theta` in radians."""

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


class PersonRead(ResponseModel):
    id: UUID
    name: str


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
    waiting_reason: WaitingReason | None
    eta: Timestamp | None
    eta_earliest: Timestamp | None
    eta_latest: Timestamp | None
    eta_reason: EtaReason | None
    attempt: int
    failure_reason: str | None
    book_location: str | None
    recipient_id: UUID | None
    requester: PersonRead | None = Field(description="Owner of the request or return")
    claimed_by: PersonRead | None = Field(description="Who of the staff prepares it")
    notes: str | None = Field(description="Of the request, or of the staff who created the task")
    to_shelf: str | None = Field(description="Of a transfer: the copy's new shelf location")
    version: int
    created_at: Timestamp
    started_at: Timestamp | None
    loaded_at: Timestamp | None
    arrived_at: Timestamp | None
    completed_at: Timestamp | None


class TaskDetail(TaskRead):
    history: list[HistoryRead]
    actions: list[TaskActionRead]


class TaskSummary(ResponseModel):
    """The delivery task of a request or return, as its member sees it."""

    id: UUID
    reference: str
    status: TaskStatus
    stage: Stage | None
    waiting_reason: WaitingReason | None = Field(description="Why no robot comes yet")
    queue_ahead: int | None = Field(description="Tasks served first, at most 100; null in lists")
    eta: Timestamp | None
    eta_earliest: Timestamp | None
    eta_latest: Timestamp | None
    eta_reason: EtaReason | None = Field(description="Why it arrives later than was said before")
    wait_until: Timestamp | None = Field(description="Until when the robot waits in this stage")
    robot_name: str | None
    robot_position: RobotPosition | None
    robot_seen_at: Timestamp | None
    stopped: bool = Field(description="The robot is under an emergency stop")
    version: int
