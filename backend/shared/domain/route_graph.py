"""The map as a graph: waypoints by name or location code, and the shortest route between them.

Cached in memory and read again when the map's version changes or a closed edge reopens.
"""

import asyncio
import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import networkx as nx
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.shared.errors import RobotUnavailable, UnknownLocation
from backend.shared.infra import clock, config, database
from backend.shared.models import (
    EdgeKind,
    FleetState,
    Waypoint,
    WaypointEdge,
    WaypointKind,
    table,
)

_SUGGESTIONS = 5
_MAX_OFF_MAP = 50.0  # metres from the nearest waypoint
_MAX_AGE = timedelta(minutes=1)  # then the measured speeds are read again
NOT_SERVED = (WaypointKind.JUNCTION, WaypointKind.DOCK)  # no hand-over there


@dataclass(frozen=True)
class GraphWaypoint:
    """A waypoint, detached from the session: metres on its floor, theta in radians."""

    id: UUID
    name: str
    location_code: str
    kind: WaypointKind
    floor: int
    x: float
    y: float
    theta: float
    details: dict[str, Any]

    def as_payload(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "name": self.name,
            "x": self.x,
            "y": self.y,
            "theta": self.theta,
            "floor": self.floor,
        }


class RouteGraph:
    """One version of the map."""

    def __init__(
        self, version: int, waypoints: Iterable[GraphWaypoint], edges: Iterable[WaypointEdge]
    ) -> None:
        self.version = version
        self.waypoints = {waypoint.id: waypoint for waypoint in waypoints}
        self._by_name = {
            name.casefold(): waypoint
            for waypoint in self.waypoints.values()
            for name in (waypoint.name, waypoint.location_code)
        }
        now = self.read_at = clock.now()
        self._graph: nx.DiGraph[UUID] = nx.DiGraph()
        self._graph.add_nodes_from(self.waypoints)
        self.reopens_at: datetime | None = None
        self._lengths: dict[UUID, Mapping[UUID, float]] = {}
        self._routes: dict[tuple[UUID, UUID], list[UUID]] = {}
        for edge in edges:
            self._add(edge, now)

    @property
    def is_expired(self) -> bool:
        """Whether an edge has opened again, or the measured speeds are old."""
        now = clock.now()
        reopened = self.reopens_at is not None and self.reopens_at <= now
        return reopened or not timedelta() <= now - self.read_at < _MAX_AGE

    def _add(self, edge: WaypointEdge, now: datetime) -> None:
        if edge.from_id not in self.waypoints or edge.to_id not in self.waypoints:
            return  # an end is inactive
        if edge.closed_until is not None and edge.closed_until > now:
            self.reopens_at = min(filter(None, [self.reopens_at, edge.closed_until]))
            return
        way = {"distance": edge.distance, "speed": edge.measured_speed}
        lift = config.robots().lift_time.total_seconds()
        way["pause"] = lift if edge.kind is EdgeKind.LIFT else 0.0
        self._graph.add_edge(edge.from_id, edge.to_id, **way)
        if edge.bidirectional:
            self._graph.add_edge(edge.to_id, edge.from_id, **way)

    def find(self, name: str) -> GraphWaypoint:
        """Find a waypoint by name or location code, case-insensitively; else UnknownLocation."""
        waypoint = self._by_name.get(name.strip().casefold())
        if waypoint is None or waypoint.kind in NOT_SERVED:
            raise UnknownLocation(location=name, nearest=self._similar_names(name))
        return waypoint

    def _similar_names(self, name: str) -> list[str]:
        close = difflib.get_close_matches(
            name.strip().casefold(), self._by_name, n=3 * _SUGGESTIONS, cutoff=0.3
        )
        found = dict.fromkeys(
            self._by_name[key].name for key in close if self._by_name[key].kind not in NOT_SERVED
        )
        return list(found)[:_SUGGESTIONS]

    def route(self, start: UUID, end: UUID) -> list[GraphWaypoint]:
        """Return the shortest open route with both ends; RobotUnavailable when there is none."""
        route = self._routes.get((start, end))
        if route is None:
            try:
                route = nx.shortest_path(self._graph, start, end, weight="distance")
            except (nx.NetworkXNoPath, nx.NodeNotFound) as error:
                raise RobotUnavailable("No open route leads there.") from error
            self._routes[start, end] = route
        return [self.waypoints[waypoint_id] for waypoint_id in route]

    def length(self, start: UUID, end: UUID) -> float:
        """Return the metres of the shortest open route; infinite when there is none."""
        return self.lengths_to(end).get(start, math.inf)

    def seconds(self, start: UUID, end: UUID, speed: float | None) -> float:
        """Return the seconds of the shortest open route; infinite when there is none.

        By the speed measured on each edge, else that of the robot, else the usual one.
        """
        try:
            route = self.route(start, end)
        except RobotUnavailable:
            return math.inf
        otherwise = speed or config.robots().usual_speed
        ways = (self._graph.edges[a.id, b.id] for a, b in pairwise(route))
        return math.fsum(
            way["distance"] / (way["speed"] or otherwise) + way["pause"] for way in ways
        )

    def pauses(self, legs: Iterable[tuple[UUID, UUID]]) -> float:
        """Return the seconds that are spent in lifts on these legs."""
        return math.fsum(
            self._graph.edges[leg]["pause"] for leg in legs if leg in self._graph.edges
        )

    def lengths_to(self, end: UUID) -> Mapping[UUID, float]:
        """Return the metres to `end` from each waypoint that has an open route to it."""
        if end not in self._lengths:
            found: dict[UUID, float] = {}
            if end in self._graph:
                backwards = self._graph.reverse(copy=False)
                found = nx.single_source_dijkstra_path_length(backwards, end, weight="distance")
            self._lengths[end] = found
        return self._lengths[end]

    def has_way_around(self, edge: tuple[UUID, UUID], end: UUID) -> bool:
        """Return whether `end` can be reached from the edge's first end without the edge."""
        without = nx.restricted_view(self._graph, [], [edge, edge[::-1]])
        return end in without and edge[0] in without and nx.has_path(without, edge[0], end)

    def nearest(self, pose: dict[str, Any] | None) -> GraphWaypoint | None:
        """Return the waypoint nearest to a pose on its floor.

        None when the pose is unknown, or so far off the map that the robot can't be there.
        """
        if pose is None:
            return None
        on_floor = [
            (math.hypot(node.x - pose["x"], node.y - pose["y"]), node)
            for node in self.waypoints.values()
            if node.floor == pose.get("floor")
        ]
        metres, node = min(on_floor, key=lambda found: found[0], default=(math.inf, None))
        return node if metres <= _MAX_OFF_MAP else None

    def of_kind(self, kind: WaypointKind) -> list[GraphWaypoint]:
        return [node for node in self.waypoints.values() if node.kind is kind]

    def default_of(self, kinds: Sequence[WaypointKind]) -> GraphWaypoint:
        """Return the waypoint marked default of the first of `kinds` that the map has."""
        for kind in kinds:
            nodes = sorted(self.of_kind(kind), key=lambda node: node.location_code)
            if nodes:
                return next((node for node in nodes if node.details.get("default")), nodes[0])
        raise RobotUnavailable("The map has no workstation: add one first.")

    def workstation_for(self, shelf: str | None) -> GraphWaypoint:
        """Return the workstation that serves a shelf, or the default workstation."""
        default = self.default_of([WaypointKind.WORKSTATION])
        if not shelf:
            return default
        serving = [
            (len(prefix), node)
            for node in self.of_kind(WaypointKind.WORKSTATION)
            for prefix in node.details.get("serves_shelves", [])
            if shelf.casefold().startswith(str(prefix).casefold())
        ]
        return max(serving, key=lambda match: match[0])[1] if serving else default

    def return_station(self) -> GraphWaypoint:
        """Return the destination of returns."""
        return self.default_of([WaypointKind.RETURN_STATION, WaypointKind.WORKSTATION])


_cached: dict[str, RouteGraph] = {}
_VERSION = select(table(FleetState).c.map_version)


def current(session: Session) -> RouteGraph:
    """Return the graph of the current map."""
    return of_version(session, session.execute(_VERSION).scalar_one())


def of_version(session: Session, version: int) -> RouteGraph:
    """Return the graph of the current map, whose version is known."""
    found = _remembered(version)
    if found is None:
        found = _cached["map"] = _read(session, version)
    return found


async def of_version_hot(version: int) -> RouteGraph:
    """Likewise on the event loop; a map that is not known yet is read by a thread."""
    found = _remembered(version)
    return await asyncio.to_thread(_read_alone, version) if found is None else found


def _read_alone(version: int) -> RouteGraph:
    with database.transaction() as session:
        return of_version(session, version)


def _remembered(version: int) -> RouteGraph | None:
    """Return the graph of the current map if this process has read it."""
    found = _cached.get("map")
    if found is None or found.version != version or found.is_expired or not found.waypoints:
        return None
    return found


def clear_cache() -> None:
    """Read the map again at the next use (for tests that empty the database)."""
    _cached.clear()


def _read(session: Session, version: int) -> RouteGraph:
    rows = session.execute(select(Waypoint).where(Waypoint.is_active)).scalars()
    edges = session.execute(select(WaypointEdge)).scalars()
    waypoints = [
        GraphWaypoint(
            id=row.id,
            name=row.name,
            location_code=row.location_code,
            kind=row.kind,
            floor=row.floor,
            x=row.x_coordinate,
            y=row.y_coordinate,
            theta=row.theta,
            details=row.details,
        )
        for row in rows
    ]
    return RouteGraph(version, waypoints, edges)
