"""Request and response models of requests."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.delivery.schemas.actions import TaskActionRead
from backend.delivery.schemas.tasks import (
    HistoryRead,
    LocationName,
    MemberId,
    ShortText,
    TaskSummary,
)
from backend.shared.models import ProblemKind, RequestStatus
from backend.shared.web.schemas import FilledText, RequestModel, ResponseModel, Timestamp


class RequestCreate(RequestModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "book_id": "01980000-0000-7000-8000-000000000000",
                    "request_location": "Study Room 201",
                }
            ]
        }
    )

    book_id: UUID
    request_location: LocationName
    notes: ShortText | None = None
    user_id: MemberId = None


class RequestComplete(RequestModel):
    handover_code: Annotated[str, Field(pattern="^[0-9]{4}$", examples=["4711"])] | None = None
    reason: Annotated[FilledText, Field(max_length=500)] | None = None


class RequestPlace(RequestModel):
    request_location: LocationName


class QuoteRead(ResponseModel):
    """Whether a request is possible now, and when the book would arrive."""

    possible: bool
    code: str | None = Field(description="The error with which it would be refused")
    queue_ahead: int
    eta_earliest: Timestamp | None
    eta_latest: Timestamp | None


class ProblemReport(RequestModel):
    kind: Annotated[ProblemKind, Field(examples=["WRONG_BOOK"])]
    text: ShortText | None = None


class ProblemRead(ResponseModel):
    kind: ProblemKind
    text: str | None


class RequestRead(ResponseModel):
    id: UUID
    user_id: UUID
    book_id: UUID
    copy_id: UUID
    book_title: str
    request_location: str
    waypoint_id: UUID
    status: RequestStatus
    notes: str | None
    cancel_reason: str | None
    requested_at: Timestamp
    completed_at: Timestamp | None
    handover_code: str | None
    task: TaskSummary


class RequestDetail(RequestRead):
    history: list[HistoryRead]
    actions: list[TaskActionRead]
