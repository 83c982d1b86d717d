"""The map as clients send and get it; metres from the floor's origin, theta in radians."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AliasChoices, ConfigDict, Field

from backend.robot.schemas.bridge import Metres
from backend.shared.models import WaypointKind
from backend.shared.web.schemas import FilledText, RequestModel, ResponseModel, Timestamp

Name = Annotated[FilledText, Field(max_length=100)]
Floor = Annotated[int, Field(ge=-20, le=200)]


class WaypointBody(RequestModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        from_attributes=True,
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "name": "Study Room 201",
                    "location_code": "SR-201",
                    "kind": "DELIVERY_POINT",
                    "floor": 2,
                    "x_coordinate": 12.5,
                    "y_coordinate": 4.0,
                }
            ]
        },
    )

    name: Name
    location_code: Annotated[Name, Field(max_length=40)]
    kind: WaypointKind
    floor: Floor = 1
    x_coordinate: Annotated[Metres, Field(validation_alias=AliasChoices("x_coordinate", "x"))]
    y_coordinate: Annotated[Metres, Field(validation_alias=AliasChoices("y_coordinate", "y"))]
    z_coordinate: Annotated[Metres, Field(validation_alias=AliasChoices("z_coordinate", "z"))] = 0.0
    theta: Annotated[float, Field(ge=-7, le=7, allow_inf_nan=False)] = 0.0
    details: Annotated[
        dict[str, Any],
        Field(validation_alias=AliasChoices("metadata", "details"), serialization_alias="metadata"),
    ] = {}


class WaypointRead(ResponseModel):
    id: UUID
    name: str
    location_code: str
    kind: WaypointKind
    floor: int
    x_coordinate: float
    y_coordinate: float
    z_coordinate: float
    theta: float
    metadata: Annotated[dict[str, Any], Field(validation_alias="details")]
    is_active: bool
    created_at: Timestamp


class EdgeBody(RequestModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: Annotated[Name, Field(alias="from")]
    end: Annotated[Name, Field(alias="to")]
    distance: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] | None = None
    bidirectional: bool = True
    closed_until: Timestamp | None = None


class FloorBody(RequestModel):
    """A floor's plan: `pixels_per_metre` and `origin` say how metres become drawing units."""

    floor: Floor
    name: Name
    svg: Annotated[str, Field(max_length=400_000)] = ""
    plan: Annotated[str, Field(max_length=200)] = ""
    width_m: Annotated[float, Field(gt=0, le=10_000)]
    height_m: Annotated[float, Field(gt=0, le=10_000)]
    origin: Annotated[list[Metres], Field(min_length=2, max_length=2)] = [0.0, 0.0]
    pixels_per_metre: Annotated[float, Field(gt=0, le=1000)] = 20.0


class MapBody(RequestModel):
    name: Name = "Library"
    version: Any = None  # of the document as exported; the new number is made here
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
