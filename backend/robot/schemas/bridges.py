"""Request and response models of bridges (robot-protocol.md); heartbeats may add fields."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from backend.shared.models import CommandStatus, CommandType
from backend.shared.web.schemas import (
    FilledText,
    Instant,
    JsonObject,
    PlainText,
    RequestModel,
    ResponseModel,
    Timestamp,
)

Metres = Annotated[float, Field(ge=-10_000, le=10_000, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
MAX_WAIT = 25  # seconds


class Pose(BaseModel):
    """A position on a floor: x and y in metres, theta in radians."""

    model_config = ConfigDict(frozen=True)

    x: Metres
    y: Metres
    theta: Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)] = 0.0
    floor: Annotated[int, Field(ge=-20, le=200)] = 1


class Enroll(RequestModel):
    code: Annotated[FilledText, Field(max_length=100)]
    software_version: Annotated[PlainText, Field(max_length=100)] = ""
    capabilities: JsonObject = {}


class Enrolled(ResponseModel):
    robot_id: UUID
    robot_name: str
    key: str


class OpenSession(RequestModel):
    boot_id: Annotated[FilledText, Field(max_length=100, examples=["a3f0c2d4"])]
    capabilities: Annotated[
        JsonObject | None,
        Field(description="pause, carry, say; unchanged when left out", examples=[{"say": True}]),
    ] = None


class SessionOpened(ResponseModel):
    robot_id: UUID
    epoch: int
    heartbeat_interval: float
    offline_after: float
    server_time: Timestamp
    map_version: int


class Safety(BaseModel):
    model_config = ConfigDict(frozen=True)

    emergency_stop: bool = False
    bumper: bool = False
    obstacle: bool = False


class ErrorLevel(StrEnum):
    WARNING = "WARNING"
    URGENT = "URGENT"
    CRITICAL = "CRITICAL"
    FATAL = "FATAL"


class ReportedError(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: Annotated[FilledText, Field(max_length=100)]
    level: ErrorLevel
    message: Annotated[PlainText, Field(max_length=1000)] = ""


class Heartbeat(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    epoch: Annotated[int, Field(ge=0, le=2**31 - 1)]
    seq: Annotated[int, Field(ge=0, le=2**62)]
    pose: Pose
    waypoint: Annotated[PlainText, Field(max_length=200)] | None = None
    battery: Fraction
    charging: bool = False
    docked: bool = False
    speed: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0
    safety: Safety = Safety()
    active_command: UUID | None = None
    errors: Annotated[list[ReportedError], Field(max_length=50)] = []
    sensors: JsonObject = {}
    stop_version: Annotated[
        int | None, Field(ge=0, le=2**62, description="The newest that the bridge knows")
    ] = None


class Desired(StrEnum):
    RUN = "RUN"
    STOP = "STOP"
    PAUSE = "PAUSE"


class HeartbeatAnswer(ResponseModel):
    stop_version: int
    desired: Desired
    commands_waiting: int
    poll_after_ms: int


class CommandRead(ResponseModel):
    id: UUID
    seq: int
    type: CommandType
    payload: dict[str, Any]
    task_id: UUID | None
    lease_token: int
    leased_until: Timestamp
    deadline: Timestamp | None
    attempt: int


class ReportType(StrEnum):
    ACCEPTED = "ACCEPTED"
    STARTED = "STARTED"
    PROGRESS = "PROGRESS"
    ARRIVED = "ARRIVED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    REFUSED = "REFUSED"


class CommandReportBody(RequestModel):
    lease_token: Annotated[int, Field(ge=0, le=2**62)]
    event_seq: Annotated[int, Field(ge=1, le=2**31 - 1)]
    type: ReportType
    at: Annotated[Instant | None, Field(description="When it happened, by the robot's clock")] = (
        None
    )
    message: Annotated[PlainText, Field(max_length=1000)] | None = None
    pose: Pose | None = None
    remaining_m: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] | None = None
    speed: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None


class ReportAnswer(ResponseModel):
    command_id: UUID
    status: CommandStatus


class StopOrder(ResponseModel):
    stop_version: int
    stopped: bool
    reason: str | None


class StopVersion(ResponseModel):
    stop_version: int
