"""What clients of the notification service get."""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field

from backend.shared.web.schemas import ResponseModel, Timestamp


class NotificationRead(ResponseModel):
    """One thing a person was told. `payload` holds the ids to open what it is about."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "019bc0de-0000-7000-8000-000000000001",
                "notification_type": "DELIVERY_TASK_ARRIVED",
                "title": "Your book is here",
                "message": "luna-bot-1 is at Study Room 201 with “Dune”. Your code is in the app.",
                "payload": {"request_id": "019bc0de-0000-7000-8000-000000000002"},
                "is_read": False,
                "created_at": "2026-01-15T10:30:00.000Z",
                "read_at": None,
            }
        }
    )

    id: UUID
    notification_type: str = Field(description="The event it was made from, in UPPER_SNAKE")
    title: str
    message: str
    payload: dict[str, Any]
    is_read: bool
    created_at: Timestamp
    read_at: Timestamp | None


class UnreadCount(ResponseModel):
    unread: int = Field(ge=0, examples=[3])


class AllRead(ResponseModel):
    marked: int = Field(ge=0, description="How many were unread before", examples=[3])


class WsTicket(ResponseModel):
    """Opens one WebSocket: offer the subprotocols `luna.v1` and `ticket.<ticket>`."""

    ticket: str = Field(examples=["pYkz0Jm8c1nq0H2y7GdYQx3o5b8sVw4t6u9zA1B2C3D"])
    expires_in: int = Field(description="Seconds", examples=[30])
