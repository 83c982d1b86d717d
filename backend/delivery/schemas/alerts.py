"""Request and response models of alerts."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from backend.delivery.schemas.tasks import PersonRead
from backend.shared.models import AlertKind, AlertSeverity
from backend.shared.web.schemas import PlainText, RequestModel, ResponseModel, Timestamp


class AlertState(StrEnum):
    OPEN = "OPEN"
    RESOLVED = "RESOLVED"


class AlertResolve(RequestModel):
    resolution: Annotated[
        PlainText | None, Field(max_length=500, examples=["Moved the trolley away"])
    ] = None


class SuggestedAction(ResponseModel):
    name: str
    text: str


class AlertRead(ResponseModel):
    """One fault; `count` says how often it was reported while the alert was open."""

    id: UUID
    kind: AlertKind
    severity: AlertSeverity
    message: str
    reason: str | None
    task_id: UUID | None
    task_reference: str | None
    robot_id: UUID | None
    robot_name: str | None
    count: int
    first_at: Timestamp
    last_at: Timestamp
    claimed_by: PersonRead | None
    claimed_at: Timestamp | None
    resolved_by: PersonRead | None
    resolved_at: Timestamp | None
    resolution: str | None = Field(description="Of the person; CLEARED when the fault is gone")
    suggested_actions: list[SuggestedAction]
    version: int
