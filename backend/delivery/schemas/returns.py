"""Request and response models of returns."""

from uuid import UUID

from pydantic import ConfigDict

from backend.delivery.schemas.actions import TaskActionRead
from backend.delivery.schemas.tasks import HistoryRead, LocationName, MemberId, TaskSummary
from backend.shared.models import ReturnStatus
from backend.shared.web.schemas import RequestModel, ResponseModel, Timestamp


class ReturnCreate(RequestModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "book_id": "01980000-0000-7000-8000-000000000000",
                    "pickup_location": "Study Room 201",
                }
            ]
        }
    )

    book_id: UUID
    pickup_location: LocationName
    user_id: MemberId = None


class ReturnRead(ResponseModel):
    id: UUID
    user_id: UUID
    book_id: UUID
    loan_id: UUID
    book_title: str
    pickup_location: str
    waypoint_id: UUID
    status: ReturnStatus
    cancel_reason: str | None
    initiated_at: Timestamp
    picked_up_at: Timestamp | None
    completed_at: Timestamp | None
    task: TaskSummary


class ReturnDetail(ReturnRead):
    history: list[HistoryRead]
    actions: list[TaskActionRead]
