"""Request and response models of emergency stop and resume."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from backend.shared.models import StopReport, StopState
from backend.shared.web.schemas import FilledText, PlainText, RequestModel, ResponseModel, Timestamp


class StopRequest(RequestModel):
    reason: (
        Annotated[PlainText, Field(max_length=500, examples=["A child in the aisle"])] | None
    ) = None


class ResumeRequest(RequestModel):
    reason: Annotated[FilledText, Field(max_length=500, examples=["The aisle is free again"])]


class StoppedRobotRead(ResponseModel):
    id: UUID
    state: StopState


class StopRead(ResponseModel):
    stop_version: int
    robots: list[StoppedRobotRead]


class StandingRobotRead(ResponseModel):
    id: UUID
    robot_name: str
    state: StopState
    at: Timestamp = Field(description="When it stopped, else when the stop was requested")


class StopStateRead(ResponseModel):
    """The emergency stop as it stands; `latched` says whether the whole fleet is stopped."""

    stop_version: int
    latched: bool
    reason: str | None
    by: UUID | None
    at: Timestamp | None
    robots: list[StandingRobotRead]


class Resumed(ResponseModel):
    robots: list[UUID]


class StopAnswered(RequestModel):
    stop_version: Annotated[int, Field(ge=0)]
    type: StopReport
    speed: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0
