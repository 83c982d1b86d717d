"""The map. Written by the robot service."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.shared.models.base import Base, CreatedAt, Id, text_enum


class WaypointKind(StrEnum):
    WORKSTATION = "WORKSTATION"
    DELIVERY_POINT = "DELIVERY_POINT"
    RETURN_STATION = "RETURN_STATION"
    DOCK = "DOCK"
    JUNCTION = "JUNCTION"


class Waypoint(Base):
    """A place on the map; metres from its floor's origin, theta in radians."""

    __tablename__ = "waypoints"

    id: Mapped[Id]
    name: Mapped[str]
    location_code: Mapped[str]
    kind: Mapped[WaypointKind] = mapped_column(text_enum(WaypointKind))
    floor: Mapped[int]
    x_coordinate: Mapped[float]
    y_coordinate: Mapped[float]
    z_coordinate: Mapped[float] = mapped_column(default=0.0)
    theta: Mapped[float] = mapped_column(default=0.0)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", default=dict)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[CreatedAt]

    __table_args__ = (
        Index(
            "uq_waypoints_name",
            text("lower(name)"),
            unique=True,
            postgresql_where=text("is_active"),
        ),
        Index(
            "uq_waypoints_location_code",
            text("lower(location_code)"),
            unique=True,
            postgresql_where=text("is_active"),
        ),
    )


class EdgeKind(StrEnum):
    CORRIDOR = "CORRIDOR"
    LIFT = "LIFT"


class WaypointEdge(Base):
    """A way between two waypoints; a LIFT joins two floors."""

    __tablename__ = "waypoint_edges"

    id: Mapped[Id]
    from_id: Mapped[UUID] = mapped_column(ForeignKey("waypoints.id", ondelete="CASCADE"))
    to_id: Mapped[UUID] = mapped_column(ForeignKey("waypoints.id", ondelete="CASCADE"))
    distance: Mapped[float]  # metres
    bidirectional: Mapped[bool] = mapped_column(default=True)
    kind: Mapped[EdgeKind] = mapped_column(text_enum(EdgeKind), default=EdgeKind.CORRIDOR)
    closed_until: Mapped[datetime | None]
    closed_reason: Mapped[str | None]
    measured_speed: Mapped[float | None]  # metres per second, smoothed over the drives along it

    __table_args__ = (
        UniqueConstraint("from_id", "to_id"),
        CheckConstraint("distance > 0", name="has_length"),
    )


class FloorPlan(Base):
    __tablename__ = "floor_plans"

    floor: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    plan: Mapped[dict[str, Any]]  # scale and origin: converts metres to the units of the drawing
    svg: Mapped[str]
