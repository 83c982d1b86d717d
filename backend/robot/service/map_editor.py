"""The map as staff keep it: waypoints, edges, floor plans; one JSON document in and out."""

import math
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from backend.robot.schemas.map import EdgeBody, FloorBody, MapBody, MapRead, WaypointBody
from backend.shared.domain import audit, route_graph
from backend.shared.errors import Conflict, NotFound, invalid
from backend.shared.models import (
    CLOSED_STATUSES,
    DeliveryTask,
    FleetState,
    FloorPlan,
    Waypoint,
    WaypointEdge,
)


def _changed(session: Session) -> int:
    """Every process reads the map anew."""
    session.flush()
    return session.execute(
        update(FleetState)
        .values(map_version=FleetState.map_version + 1)
        .returning(FleetState.map_version)
    ).scalar_one()


def _refuse_while_needed(session: Session, waypoint_id: UUID) -> None:
    needed = session.execute(
        select(DeliveryTask.reference)
        .where(
            DeliveryTask.status.notin_(CLOSED_STATUSES),
            (DeliveryTask.source_waypoint_id == waypoint_id)
            | (DeliveryTask.destination_waypoint_id == waypoint_id)
            | (DeliveryTask.back_waypoint_id == waypoint_id),
        )
        .limit(1)
    ).scalar_one_or_none()
    if needed is not None:
        raise Conflict("A delivery needs this place.", reference=needed)


def get(session: Session, waypoint_id: UUID) -> Waypoint:
    waypoint = session.get(Waypoint, waypoint_id, with_for_update=True)
    if waypoint is None or not waypoint.is_active:
        raise NotFound("There is no such waypoint.")
    return waypoint


def _refuse_taken(session: Session, body: WaypointBody, own: UUID | None) -> None:
    for column, value in (
        (Waypoint.name, body.name),
        (Waypoint.location_code, body.location_code),
    ):
        taken = session.execute(
            select(Waypoint.id).where(func.lower(column) == value.lower(), Waypoint.is_active)
        ).scalar_one_or_none()
        if taken is not None and taken != own:
            raise Conflict(f"There is a waypoint “{value}” already.", value=value)


def _fill(waypoint: Waypoint, body: WaypointBody) -> None:
    waypoint.name, waypoint.location_code = body.name, body.location_code
    waypoint.kind, waypoint.floor = body.kind, body.floor
    waypoint.x_coordinate, waypoint.y_coordinate = body.x_coordinate, body.y_coordinate
    waypoint.z_coordinate, waypoint.theta = body.z_coordinate, body.theta
    waypoint.details, waypoint.is_active = body.details, True


def add_waypoint(session: Session, body: WaypointBody, by: UUID) -> Waypoint:
    _refuse_taken(session, body, None)
    waypoint = Waypoint()
    _fill(waypoint, body)
    session.add(waypoint)
    _changed(session)
    _note(session, by, "waypoint.create", waypoint.id, body.model_dump(mode="json"))
    return waypoint


def change_waypoint(session: Session, waypoint_id: UUID, body: WaypointBody, by: UUID) -> Waypoint:
    waypoint = get(session, waypoint_id)
    moved = (waypoint.floor, waypoint.x_coordinate, waypoint.y_coordinate) != (
        body.floor,
        body.x_coordinate,
        body.y_coordinate,
    )
    if moved:
        _refuse_while_needed(session, waypoint_id)
    _refuse_taken(session, body, waypoint_id)
    _fill(waypoint, body)
    _changed(session)
    _note(session, by, "waypoint.update", waypoint.id, body.model_dump(mode="json"))
    return waypoint


def remove_waypoint(session: Session, waypoint_id: UUID, by: UUID) -> None:
    """Take a place out of use; journeys of the past still know it."""
    waypoint = get(session, waypoint_id)
    _refuse_while_needed(session, waypoint_id)
    waypoint.is_active = False
    _changed(session)
    _note(session, by, "waypoint.delete", waypoint.id, {})


def _note(
    session: Session,
    by: UUID | None,
    action: str,
    waypoint_id: UUID | None,
    changes: dict[str, Any],
) -> None:
    audit.record(
        session, actor_id=by, action=action, resource=("waypoint", waypoint_id), changes=changes
    )


def export(session: Session) -> MapRead:
    """The whole map as one document; `load` takes it back."""
    places = session.execute(
        select(Waypoint).where(Waypoint.is_active).order_by(Waypoint.location_code)
    ).scalars()
    codes = {place.id: place for place in places.all()}
    edges = session.execute(select(WaypointEdge).order_by(WaypointEdge.id)).scalars()
    floors = session.execute(select(FloorPlan).order_by(FloorPlan.floor)).scalars()
    return MapRead(
        version=route_graph.current(session).version,
        floors=[FloorBody(floor=f.floor, name=f.name, svg=f.svg, **f.plan) for f in floors],
        waypoints=[_as_body(place) for place in codes.values()],
        edges=[
            EdgeBody(
                start=codes[edge.from_id].location_code,
                end=codes[edge.to_id].location_code,
                distance=edge.distance,
                bidirectional=edge.bidirectional,
                closed_until=edge.closed_until,
            )
            for edge in edges
            if edge.from_id in codes and edge.to_id in codes
        ],
    )


def _as_body(place: Waypoint) -> WaypointBody:
    return WaypointBody(
        name=place.name,
        location_code=place.location_code,
        kind=place.kind,
        floor=place.floor,
        x_coordinate=place.x_coordinate,
        y_coordinate=place.y_coordinate,
        z_coordinate=place.z_coordinate,
        theta=place.theta,
        details=place.details,
    )


def load(session: Session, body: MapBody, by: UUID | None) -> int:
    """Replace the map: places are matched by location code; the new version's number.

    A place that is no longer there may not be needed by a delivery under way.
    """
    known = {
        place.location_code.lower(): place
        for place in session.execute(
            select(Waypoint).order_by(Waypoint.is_active).with_for_update()  # one in use wins
        ).scalars()
    }
    kept: dict[str, Waypoint] = {}
    for each in body.waypoints:
        waypoint = known.get(each.location_code.lower()) or Waypoint()
        _fill(waypoint, each)
        session.add(waypoint)
        kept[each.location_code.lower()] = waypoint
    for code, waypoint in known.items():
        if code not in kept and waypoint.is_active:
            _refuse_while_needed(session, waypoint.id)
            waypoint.is_active = False
    session.flush()
    _load_edges(session, body.edges, kept)
    _load_floors(session, body.floors)
    version = _changed(session)
    _note(session, by, "map.load", None, {"waypoints": len(kept), "edges": len(body.edges)})
    return version


def _load_edges(session: Session, edges: list[EdgeBody], places: dict[str, Waypoint]) -> None:
    session.execute(delete(WaypointEdge))
    for number, edge in enumerate(edges):
        ends = [places.get(code.lower()) for code in (edge.start, edge.end)]
        if ends[0] is None or ends[1] is None or ends[0] is ends[1]:
            raise invalid(f"edges.{number}", "joins two different waypoints of this map")
        session.add(
            WaypointEdge(
                from_id=ends[0].id,
                to_id=ends[1].id,
                distance=edge.distance or _straight(ends[0], ends[1]),
                bidirectional=edge.bidirectional,
                closed_until=edge.closed_until,
            )
        )


def _straight(start: Waypoint, end: Waypoint) -> float:
    return math.hypot(start.x_coordinate - end.x_coordinate, start.y_coordinate - end.y_coordinate)


def _load_floors(session: Session, floors: list[FloorBody]) -> None:
    session.execute(delete(FloorPlan))
    for floor in floors:
        plan = floor.model_dump(mode="json", exclude={"floor", "name", "svg"})
        session.add(FloorPlan(floor=floor.floor, name=floor.name, plan=plan, svg=floor.svg))
