"""Request and response models of student requests."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from backend.delivery.schemas.tasks import HistoryRead, Place, ShortText, TaskSummary
from backend.shared.models import (
    RequestStatus,
)
from backend.shared.web.schemas import FilledText, RequestModel, ResponseModel, Timestamp


class RequestCreate(RequestModel):
    book_id: UUID
    request_location: Place
    notes: ShortText | None = None
    user_id: Annotated[UUID | None, Field(description="Staff may ask for a member")] = None


class RequestComplete(RequestModel):
    handover_code: Annotated[str, Field(pattern="^[0-9]{4}$", examples=["4711"])] | None = None
    reason: Annotated[FilledText, Field(max_length=500)] | None = None


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
