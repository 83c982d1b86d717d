"""Request and response models of holds."""

from uuid import UUID

from pydantic import ConfigDict, Field

from backend.book.schemas.actions import ActionRead, OverrideBody
from backend.shared.models import HoldStatus
from backend.shared.web.schemas import Instant, RequestModel, ResponseModel, Timestamp


class HoldCreate(RequestModel):
    """A title to join the queue of; staff may do so for a member."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"book_id": "01980000-0000-7000-8000-000000000001"}]}
    )

    book_id: UUID
    user_id: UUID | None = None
    override: OverrideBody | None = Field(default=None, description="Staff only")


class SuspendBody(RequestModel):
    """Until when no copy shall be kept for the hold; null resumes it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"until": "2026-08-01T00:00:00Z"}]})

    until: Instant | None = None


class HoldRead(ResponseModel):
    """A hold; `position` counts from 1 while it is queued."""

    id: UUID
    book_id: UUID
    book_title: str
    user_id: UUID
    status: HoldStatus
    position: int | None
    placed_at: Timestamp
    suspended_until: Timestamp | None
    expected_at: Timestamp | None = Field(description="By the due dates of the copies on loan")
    copy_id: UUID | None
    barcode: str | None
    ready_at: Timestamp | None
    ready_until: Timestamp | None
    closed_at: Timestamp | None
    version: int
    actions: list[ActionRead]
