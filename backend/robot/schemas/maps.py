"""Request and response models of the map as one document; lengths in metres."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field

from backend.robot.schemas.bridges import Metres
from backend.robot.schemas.waypoints import Floor, Name, WaypointBody
from backend.shared.infra import storable
from backend.shared.models import EdgeKind
from backend.shared.web.schemas import (
    FilledText,
    Instant,
    PlainText,
    RequestModel,
    ResponseModel,
    Timestamp,
)


class EdgeBody(RequestModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    id: Annotated[UUID | None, Field(description="Of an exported document; ignored")] = None
    start: Annotated[Name, Field(alias="from")]
    end: Annotated[Name, Field(alias="to")]
    distance: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] | None = None
    bidirectional: bool = True
    kind: EdgeKind = EdgeKind.CORRIDOR
    closed_reason: Annotated[PlainText, Field(max_length=500)] | None = None
    closed_until: Annotated[Timestamp, AfterValidator(storable.check_time)] | None = None


class FloorBody(RequestModel):
    """A floor plan: `pixels_per_metre` and `origin` convert metres to drawing units."""

    floor: Floor
    name: Name
    svg: Annotated[PlainText, Field(max_length=400_000)] = ""
    plan: Annotated[PlainText, Field(max_length=200)] = ""
    width_m: Annotated[float, Field(gt=0, le=10_000)]
    height_m: Annotated[float, Field(gt=0, le=10_000)]
    origin: Annotated[list[Metres], Field(min_length=2, max_length=2)] = [0.0, 0.0]
    pixels_per_metre: Annotated[float, Field(gt=0, le=1000)] = 20.0


class MapBody(RequestModel):
    name: Name = "Library"
    version: Any = None  # ignored: the version of an exported document; a new one is assigned
    floors: Annotated[list[FloorBody], Field(max_length=200)]
    waypoints: Annotated[list[WaypointBody], Field(min_length=1, max_length=5000)]
    edges: Annotated[list[EdgeBody], Field(max_length=20_000)]


class MapRead(ResponseModel):
    version: int
    floors: list[FloorBody]
    waypoints: list[WaypointBody]
    edges: list[EdgeBody]


class MapVersion(ResponseModel):
    version: int


class EdgeClose(RequestModel):
    reason: Annotated[FilledText, Field(max_length=500, examples=["Wet floor"])]
    until: Annotated[
        Instant | None, Field(description="When left out: for `LUNA_EDGE_CLOSING`")
    ] = None


class EdgeRead(ResponseModel):
    id: UUID
    from_id: UUID
    to_id: UUID
    distance: float
    bidirectional: bool
    kind: EdgeKind
    closed_until: Timestamp | None
    closed_reason: str | None
