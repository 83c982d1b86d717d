"""Request and response models of returns."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from backend.delivery.schemas.tasks import HistoryRead, Place, TaskSummary
from backend.shared.models import (
    ReturnStatus,
)
from backend.shared.web.schemas import RequestModel, ResponseModel, Timestamp


class ReturnCreate(RequestModel):
    book_id: UUID
    pickup_location: Place
    user_id: Annotated[UUID | None, Field(description="Staff may ask for a member")] = None


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
