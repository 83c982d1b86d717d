"""Request and response models of waypoints; metres from the floor's origin, theta in radians."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AliasChoices, ConfigDict, Field

from backend.robot.schemas.bridges import Metres
from backend.shared.models import WaypointKind
from backend.shared.web.schemas import (
    FilledText,
    JsonObject,
    RequestModel,
    ResponseModel,
    Timestamp,
)

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
        JsonObject,
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
