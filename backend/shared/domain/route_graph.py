"""The map as robots drive it: places, the shortest way between them, what people call them.

Kept in memory as a graph and read again only when the map's version has changed.
"""

import difflib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import networkx as nx
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.shared.errors import RobotUnavailable, UnknownLocation
from backend.shared.infra import clock
from backend.shared.models import FleetState, Waypoint, WaypointEdge, WaypointKind

_SUGGESTIONS = 5
NOT_SERVED = (WaypointKind.JUNCTION, WaypointKind.DOCK)  # nobody hands a book over there


@dataclass(frozen=True)
class Place:
    """A waypoint: metres on its floor, theta in radians."""

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
        self, version: int, places: Iterable[Place], edges: Iterable[WaypointEdge]
    ) -> None:
        self.version = version
        self.places = {place.id: place for place in places}
        self._by_word = {
            word.casefold(): place
            for place in self.places.values()
            for word in (place.name, place.location_code)
        }
        now = clock.now()
        self._graph: nx.DiGraph[UUID] = nx.DiGraph()
        self._graph.add_nodes_from(self.places)
        self.reopens_at: datetime | None = None
        for edge in edges:
            self._add(edge, now)

    def _add(self, edge: WaypointEdge, now: datetime) -> None:
        if edge.from_id not in self.places or edge.to_id not in self.places:
            return  # an end that is not in use
        if edge.closed_until is not None and edge.closed_until > now:
            self.reopens_at = min(filter(None, [self.reopens_at, edge.closed_until]))
            return
        self._graph.add_edge(edge.from_id, edge.to_id, distance=edge.distance)
        if edge.bidirectional:
            self._graph.add_edge(edge.to_id, edge.from_id, distance=edge.distance)

    def find(self, words: str) -> Place:
        """The place with this name or location code, in any case; UnknownLocation else."""
        place = self._by_word.get(words.strip().casefold())
        if place is None or place.kind in NOT_SERVED:
            raise UnknownLocation(location=words, nearest=self._nearest_names(words))
        return place

    def _nearest_names(self, words: str) -> list[str]:
        close = difflib.get_close_matches(
            words.strip().casefold(), self._by_word, n=3 * _SUGGESTIONS, cutoff=0.3
        )
        found = dict.fromkeys(
            self._by_word[word].name for word in close if self._by_word[word].kind not in NOT_SERVED
        )
        return list(found)[:_SUGGESTIONS]

    def route(self, start: UUID, end: UUID) -> list[Place]:
        """The shortest open way, both ends included; RobotUnavailable when there is none."""
        try:
            way: list[UUID] = nx.shortest_path(self._graph, start, end, weight="distance")
        except (nx.NetworkXNoPath, nx.NodeNotFound) as error:
            raise RobotUnavailable("No open way leads there.") from error
        return [self.places[place] for place in way]

    def length(self, start: UUID, end: UUID) -> float:
        """Metres of the shortest open way; infinite when there is none."""
        try:
            return float(nx.shortest_path_length(self._graph, start, end, weight="distance"))
        except (nx.NetworkXNoPath, nx.NodeNotFound):
            return math.inf

    def nearest(self, pose: dict[str, Any] | None) -> Place | None:
        """The place nearest to a pose on its own floor; None for a robot that is nowhere."""
        if pose is None:
            return None
        here = [place for place in self.places.values() if place.floor == pose.get("floor")]
        return min(
            here,
            key=lambda place: math.hypot(place.x - pose["x"], place.y - pose["y"]),
            default=None,
        )

    def of_kind(self, kind: WaypointKind) -> list[Place]:
        return [place for place in self.places.values() if place.kind is kind]

    def default_of(self, kinds: Sequence[WaypointKind]) -> Place:
        """The place marked default among the first of `kinds` that the map has."""
        for kind in kinds:
            places = sorted(self.of_kind(kind), key=lambda place: place.location_code)
            if places:
                return next((place for place in places if place.details.get("default")), places[0])
        raise RobotUnavailable("The map has no workstation: add one first.")

    def workstation_for(self, shelf: str | None) -> Place:
        """Where staff load a book of this shelf: the station that serves it, or the default."""
        default = self.default_of([WaypointKind.WORKSTATION])
        if not shelf:
            return default
        serving = [
            (len(prefix), place)
            for place in self.of_kind(WaypointKind.WORKSTATION)
            for prefix in place.details.get("serves_shelves", [])
            if shelf.casefold().startswith(str(prefix).casefold())
        ]
        return max(serving, key=lambda match: match[0])[1] if serving else default

    def return_station(self) -> Place:
        """Where fetched books are brought."""
        return self.default_of([WaypointKind.RETURN_STATION, WaypointKind.WORKSTATION])


_cached: dict[str, RouteGraph] = {}


def current(session: Session) -> RouteGraph:
    """The map as it is now."""
    version = session.execute(select(FleetState.map_version)).scalar_one()
    cached = _cached.get("map")
    expired = cached is not None and cached.reopens_at and cached.reopens_at <= clock.now()
    if cached is None or cached.version != version or expired or not cached.places:
        cached = _read(session, version)
        _cached["map"] = cached
    return cached


def clear_cache() -> None:
    """Read the map anew at the next use (tests that empty the database)."""
    _cached.clear()


def _read(session: Session, version: int) -> RouteGraph:
    waypoints = session.execute(select(Waypoint).where(Waypoint.is_active)).scalars()
    edges = session.execute(select(WaypointEdge)).scalars()
    places = [
        Place(
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
        for row in waypoints
    ]
    return RouteGraph(version, places, edges)
