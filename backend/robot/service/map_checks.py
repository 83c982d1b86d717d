"""Checks of a map before it is stored: every fault at once, by the field that has it."""

from collections.abc import Mapping, Sequence

import networkx as nx

from backend.robot.schemas.maps import EdgeBody
from backend.shared.models import EdgeKind, Waypoint, WaypointKind


def find_faults(edges: Sequence[EdgeBody], by_code: Mapping[str, Waypoint]) -> dict[str, list[str]]:
    """Return the faults of a map's edges by field; `by_code` has lower-case location codes."""
    faults: dict[str, list[str]] = {}
    seen: set[tuple[str, str]] = set()
    for number, edge in enumerate(edges):
        ends = (edge.start.lower(), edge.end.lower())
        found = _faults_of(edge, ends, by_code, seen)
        if found:
            faults[f"edges.{number}"] = found
        seen.add(ends)
    if not faults and edges:
        faults.update(_unreachable(edges, by_code))
    return faults


def _faults_of(
    edge: EdgeBody,
    ends: tuple[str, str],
    by_code: Mapping[str, Waypoint],
    seen: set[tuple[str, str]],
) -> list[str]:
    start, end = by_code.get(ends[0]), by_code.get(ends[1])
    if start is None or end is None or start is end:
        return ["must join two different waypoints of this map"]
    if ends in seen:
        return ["joins the same waypoints as an earlier edge"]
    if (start.floor != end.floor) is not (edge.kind is EdgeKind.LIFT):
        return ["an edge between two floors is a LIFT, and a LIFT joins two floors"]
    if start.floor != end.floor and edge.distance is None:
        return ["a LIFT needs a distance"]
    return []


def _unreachable(
    edges: Sequence[EdgeBody], by_code: Mapping[str, Waypoint]
) -> dict[str, list[str]]:
    """Name places that no robot reaches from the others, or cannot leave."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for edge in edges:
        graph.add_edge(edge.start.lower(), edge.end.lower())
        if edge.bidirectional:
            graph.add_edge(edge.end.lower(), edge.start.lower())
    served = {code for code, place in by_code.items() if place.kind is not WaypointKind.JUNCTION}
    largest = max(nx.strongly_connected_components(graph), key=len)
    lost = sorted(by_code[code].location_code for code in served - largest)
    return {"waypoints": [f"no route leads there and back: {', '.join(lost)}"]} if lost else {}
