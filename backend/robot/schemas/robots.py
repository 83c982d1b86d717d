"""Request and response models of robots, their keys and their errors."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from backend.shared.models import Connectivity, RobotStatus
from backend.shared.web.schemas import FilledText, PlainText, RequestModel, ResponseModel, Timestamp


class RobotCreate(RequestModel):
    robot_name: Annotated[FilledText, Field(max_length=100, examples=["luna-bot-1"])]
    model: Annotated[PlainText, Field(max_length=100, examples=["TurtleBot 4"])] | None = None


class RobotUpdate(RequestModel):
    maintenance: Annotated[bool, Field(examples=[True])]


class RobotRead(ResponseModel):
    id: UUID
    robot_name: str
    model: str | None
    status: RobotStatus
    connectivity: Connectivity
    online: bool
    current_location: str | None
    pose: dict[str, Any] | None
    battery_level: float | None
    charging: bool
    docked: bool
    speed: Annotated[
        float | None,
        Field(
            description="In metres a second, as its last heartbeat reported; null where it is not "
            "known: it came more than 5 s ago, or the answer is not of `/robot/status`"
        ),
    ]
    last_heartbeat: Timestamp | None
    paused: bool
    stopped: bool
    stop_reason: str | None
    stop_state: str | None
    current_task_id: UUID | None
    software_version: str | None
    capabilities: dict[str, Any] = Field(
        description="As its bridge states: pause, carry (books), say"
    )
    created_at: Timestamp


class KeyRequest(RequestModel):
    revoke_now: Annotated[
        bool,
        Field(description="Revoke earlier keys at once, since one has leaked", examples=[True]),
    ] = False


class KeyRead(ResponseModel):
    robot_id: UUID
    key: str


class EnrollmentCodeRead(ResponseModel):
    robot_id: UUID
    code: str
    expires_at: Timestamp


class RobotErrorRead(ResponseModel):
    id: UUID
    type: str
    level: str
    message: str
    task_id: UUID | None
    created_at: Timestamp


class StatusLogRead(ResponseModel):
    id: UUID
    status: RobotStatus
    connectivity: Connectivity
    location: str | None
    pose: dict[str, Any] | None
    battery_level: float | None
    charging: bool
    recorded_at: Timestamp


class Announcement(RequestModel):
    text: Annotated[FilledText, Field(max_length=200, examples=["Please let me pass."])]
    sound: Annotated[PlainText, Field(max_length=50)] | None = None
