"""What staff and bridges say of an emergency stop."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from backend.robot.stops import StopReport, StopState
from backend.shared.schemas import Body, FilledText, PlainText, Read


class StopRequest(Body):
    reason: (
        Annotated[PlainText, Field(max_length=500, examples=["A child in the aisle"])] | None
    ) = None


class ResumeRequest(Body):
    reason: Annotated[FilledText, Field(max_length=500, examples=["The aisle is free again"])]


class StoppedRobotRead(Read):
    id: UUID
    state: StopState


class StopRead(Read):
    stop_version: int
    robots: list[StoppedRobotRead]


class Resumed(Read):
    robots: list[UUID]


class StopAnswered(Body):
    stop_version: Annotated[int, Field(ge=0)]
    type: StopReport
    speed: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0
