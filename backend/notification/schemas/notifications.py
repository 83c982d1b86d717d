"""Response models of notifications."""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.shared.web.schemas import ResponseModel, Timestamp


class NotificationRead(ResponseModel):
    """A notification; `payload` holds the ids of the resources it is about."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "019bc0de-0000-7000-8000-000000000001",
                "notification_type": "DELIVERY_TASK_ARRIVED",
                "title": "Your book is here",
                "message": "The robot is at Study Room 201 with “Dune”. Your code is in the app.",
                "payload": {"request_id": "019bc0de-0000-7000-8000-000000000002"},
                "is_read": False,
                "created_at": "2026-01-15T10:30:00.000Z",
                "read_at": None,
            }
        }
    )

    id: UUID
    notification_type: str = Field(description="Type of the event it was made from, in UPPER_SNAKE")
    title: str
    message: str
    payload: dict[str, Any]
    is_read: bool
    created_at: Timestamp
    read_at: Timestamp | None


class UnreadCount(ResponseModel):
    unread: int = Field(ge=0, examples=[3])


class AllRead(ResponseModel):
    marked: int = Field(ge=0, description="Number that were unread", examples=[3])
