"""The map as one JSON document: waypoints, edges and floor plans, exported and loaded."""

import math
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.robot.schemas.maps import EdgeBody, FloorBody, MapBody, MapRead
from backend.robot.schemas.waypoints import WaypointBody
from backend.robot.service import map_checks, waypoints
from backend.shared.domain import audit, route_graph
from backend.shared.errors import Invalid
from backend.shared.models import FloorPlan, Waypoint, WaypointEdge


def export(session: Session) -> MapRead:
    """The whole map as one document, which `load` accepts."""
    active = session.execute(
        select(Waypoint).where(Waypoint.is_active).order_by(Waypoint.location_code)
    ).scalars()
    by_id = {waypoint.id: waypoint for waypoint in active.all()}
    edges = session.execute(select(WaypointEdge).order_by(WaypointEdge.id)).scalars()
    floors = session.execute(select(FloorPlan).order_by(FloorPlan.floor)).scalars()
    return MapRead(
        version=route_graph.current(session).version,
        floors=[FloorBody(floor=f.floor, name=f.name, svg=f.svg, **f.plan) for f in floors],
        waypoints=[_as_body(waypoint) for waypoint in by_id.values()],
        edges=[
            EdgeBody(
                id=edge.id,
                start=by_id[edge.from_id].location_code,
                end=by_id[edge.to_id].location_code,
                distance=edge.distance,
                bidirectional=edge.bidirectional,
                kind=edge.kind,
                closed_until=edge.closed_until,
                closed_reason=edge.closed_reason,
            )
            for edge in edges
            if edge.from_id in by_id and edge.to_id in by_id
        ],
    )


def _as_body(waypoint: Waypoint) -> WaypointBody:
    fields = {name: getattr(waypoint, name) for name in WaypointBody.model_fields}
    return WaypointBody(**fields)


def load(session: Session, body: MapBody, by: UUID | None) -> int:
    """Replace the map, matching waypoints by location code; returns the new version.

    Raises Conflict when an open task needs a waypoint that the new map leaves out.
    """
    known = {
        waypoint.location_code.lower(): waypoint
        for waypoint in session.execute(
            select(Waypoint).order_by(Waypoint.is_active).with_for_update()  # an active one wins
        ).scalars()
    }
    kept: dict[str, Waypoint] = {}
    for each in body.waypoints:
        waypoint = known.get(each.location_code.lower()) or Waypoint()
        waypoints.ensure_kind_is_free(session, waypoint, each.kind)
        waypoints.fill(waypoint, each)
        session.add(waypoint)
        kept[each.location_code.lower()] = waypoint
    for code, waypoint in known.items():
        if code not in kept and waypoint.is_active:
            waypoints.ensure_unused(session, waypoint.id)
            waypoints.ensure_no_copies(session, waypoint.id)
            waypoint.is_active = False
    session.flush()
    _load_edges(session, body.edges, kept)
    _load_floors(session, body.floors)
    version = waypoints.raise_map_version(session)
    audit.record(
        session,
        actor_id=by,
        action="map.load",
        resource=("waypoint", None),
        changes={"waypoints": len(kept), "edges": len(body.edges)},
    )
    return version


def _load_edges(session: Session, edges: list[EdgeBody], by_code: dict[str, Waypoint]) -> None:
    speeds = {
        (row.from_id, row.to_id): row.measured_speed
        for row in session.execute(
            select(WaypointEdge.from_id, WaypointEdge.to_id, WaypointEdge.measured_speed)
        )
    }
    session.execute(delete(WaypointEdge))
    if faults := map_checks.find_faults(edges, by_code):
        raise Invalid(fields=faults)
    for edge in edges:
        start, end = by_code[edge.start.lower()], by_code[edge.end.lower()]
        session.add(
            WaypointEdge(
                from_id=start.id,
                to_id=end.id,
                distance=edge.distance or _distance(start, end),
                bidirectional=edge.bidirectional,
                kind=edge.kind,
                closed_until=edge.closed_until,
                closed_reason=edge.closed_reason,
                measured_speed=speeds.get((start.id, end.id)),
            )
        )


def _distance(start: Waypoint, end: Waypoint) -> float:
    return math.hypot(start.x_coordinate - end.x_coordinate, start.y_coordinate - end.y_coordinate)


def _load_floors(session: Session, floors: list[FloorBody]) -> None:
    session.execute(delete(FloorPlan))
    for floor in floors:
        plan = floor.model_dump(mode="json", exclude={"floor", "name", "svg"})
        session.add(FloorPlan(floor=floor.floor, name=floor.name, plan=plan, svg=floor.svg))
