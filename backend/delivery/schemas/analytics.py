"""Response models of the figures of deliveries."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from backend.shared.web.schemas import ResponseModel


class FileFormat(StrEnum):
    JSON = "json"
    CSV = "csv"


class CountRead(ResponseModel):
    name: str
    count: int


class DurationRead(ResponseModel):
    """Of one phase: waiting, loading, travel, handover, or the total of completed tasks."""

    name: str
    count: int = Field(description="Tasks that had this phase")
    median: float = Field(description="Seconds")
    p95: float = Field(description="Seconds")


class RobotFigures(ResponseModel):
    id: UUID
    robot_name: str
    tasks: int
    driving_seconds: float
    waiting_seconds: float
    charging_seconds: float
    fault_seconds: float


class AnalyticsRead(ResponseModel):
    """Figures of the tasks created in the time; `total` equals the total of `GET /deliveries`."""

    total: int
    by_status: list[CountRead]
    by_type: list[CountRead]
    failures: list[CountRead]
    by_hour: list[CountRead] = Field(description="Hour of the day in the library's time zone")
    by_place: list[CountRead]
    durations: list[DurationRead]
    robots: list[RobotFigures]


class FloorRead(ResponseModel):
    """A floor plan: `pixels_per_metre` and `origin` convert metres to drawing units."""

    floor: int
    name: str
    svg: str
    plan: str
    width_m: float
    height_m: float
    origin: list[float]
    pixels_per_metre: float


class FloorsRead(ResponseModel):
    version: int
    floors: list[FloorRead]
