"""The demo library's map and floor plans agree, and a robot can drive their edges."""

import itertools
import json
import math
from types import SimpleNamespace
from typing import Any, Literal, TypedDict

import networkx as nx
import pytest

from backend.robot.schemas.maps import EdgeBody
from backend.robot.service import map_checks
from backend.shared.models import WaypointKind
from tests.demo_library import floor_plan
from tests.demo_library.floor_plan import FOLDER, FloorPlan, Scale

LIFT_METRES = 8.0
ROBOT_RADIUS = 0.175  # TurtleBot 4: 0.34 m across
STUDY_ROOMS = [f"SR-{room}" for room in [*range(101, 107), *range(201, 209)]]


class Floor(TypedDict):
    floor: int
    name: str
    plan: str
    width_m: float
    height_m: float
    origin: list[float]
    pixels_per_metre: float


class Metadata(TypedDict, total=False):
    serves_shelves: list[str]
    default: bool
    room: str
    seats: int
    lift: str


class Waypoint(TypedDict):
    name: str
    location_code: str
    kind: Literal["WORKSTATION", "DELIVERY_POINT", "RETURN_STATION", "DOCK", "JUNCTION"]
    floor: int
    x: float
    y: float
    z: float
    theta: float
    metadata: Metadata


# the functional form, because `from` is a keyword
Edge = TypedDict("Edge", {"from": str, "to": str, "distance": float, "bidirectional": bool})


class DemoMap(TypedDict):
    name: str
    version: int
    floors: list[Floor]
    waypoints: list[Waypoint]
    edges: list[Edge]


MAP: DemoMap = json.loads((FOLDER / "map.json").read_text(encoding="utf-8"))
WAYPOINTS = {waypoint["location_code"]: waypoint for waypoint in MAP["waypoints"]}
PLANS: dict[int, FloorPlan] = {
    floor["floor"]: floor_plan.read(
        FOLDER / floor["plan"],
        Scale(
            (floor["origin"][0], floor["origin"][1]), floor["height_m"], floor["pixels_per_metre"]
        ),
    )
    for floor in MAP["floors"]
}


def graph() -> "nx.Graph[str]":
    roads: nx.Graph[str] = nx.Graph()
    roads.add_nodes_from(WAYPOINTS)
    for edge in MAP["edges"]:
        roads.add_edge(edge["from"], edge["to"], weight=edge["distance"])
    return roads


def of_kind(*kinds: str) -> list[Waypoint]:
    return [waypoint for waypoint in MAP["waypoints"] if waypoint["kind"] in kinds]


def spot(code: str) -> tuple[float, float]:
    return WAYPOINTS[code]["x"], WAYPOINTS[code]["y"]


def on_one_floor() -> list[Edge]:
    return [
        edge
        for edge in MAP["edges"]
        if WAYPOINTS[edge["from"]]["floor"] == WAYPOINTS[edge["to"]]["floor"]
    ]


def test_names_and_codes_are_unique_ignoring_case() -> None:
    spoken = [w["name"].casefold() for w in MAP["waypoints"]]
    spoken += [w["location_code"].casefold() for w in MAP["waypoints"]]
    assert len(spoken) == len(set(spoken))


def test_every_study_room_is_a_delivery_point() -> None:
    rooms = {w["location_code"] for w in of_kind("DELIVERY_POINT") if "room" in w["metadata"]}
    assert rooms == set(STUDY_ROOMS)
    for code in STUDY_ROOMS:
        assert WAYPOINTS[code]["name"] == f"Study Room {code.removeprefix('SR-')}"


def test_every_waypoint_can_be_reached_from_every_other() -> None:
    assert nx.is_connected(graph())


def test_each_edge_is_listed_once_and_bidirectional() -> None:
    pairs = [frozenset((edge["from"], edge["to"])) for edge in MAP["edges"]]
    assert len(pairs) == len(set(pairs))
    assert all(edge["bidirectional"] for edge in MAP["edges"])


def test_distances_equal_the_coordinates_to_the_centimetre() -> None:
    for edge in on_one_floor():
        measured = math.dist(spot(edge["from"]), spot(edge["to"]))
        assert edge["distance"] == round(measured, 2), f"{edge['from']} to {edge['to']}"


def test_only_the_lift_connects_the_floors() -> None:
    between = [edge for edge in MAP["edges"] if edge not in on_one_floor()]
    assert [(edge["from"], edge["to"]) for edge in between] == [("LIFT-1", "LIFT-2")]
    assert between[0]["distance"] == LIFT_METRES
    assert spot("LIFT-1") == spot("LIFT-2")


@pytest.mark.parametrize("desk", [w["location_code"] for w in of_kind("WORKSTATION")])
def test_study_rooms_are_20_to_70_metres_from_each_workstation(desk: str) -> None:
    trips = nx.single_source_dijkstra_path_length(graph(), desk)
    for room in STUDY_ROOMS:
        assert 20 <= trips[room] <= 70, f"{desk} to {room}: {trips[room]:.1f} m"
    near = [trips[r] for r in STUDY_ROOMS if WAYPOINTS[r]["floor"] == WAYPOINTS[desk]["floor"]]
    assert max(near) <= 60


def test_every_shelf_of_the_catalogue_is_served_by_exactly_one_workstation() -> None:
    served = list(
        itertools.chain.from_iterable(
            w["metadata"]["serves_shelves"] for w in of_kind("WORKSTATION")
        )
    )
    books = json.loads((FOLDER / "catalogue.json").read_text(encoding="utf-8"))["books"]
    assert sorted(served) == sorted({book["shelf_location"][0] for book in books})
    for desk in of_kind("WORKSTATION"):
        words = PLANS[desk["floor"]].words
        assert set(desk["metadata"]["serves_shelves"]) <= set(words), "the plan shows its shelves"


@pytest.mark.parametrize("kind", ["WORKSTATION", "RETURN_STATION"])
def test_one_workstation_and_one_return_station_are_the_default(kind: str) -> None:
    assert [w["metadata"]["default"] for w in of_kind(kind)].count(True) == 1


def test_every_robot_starts_at_its_own_dock() -> None:
    robots = json.loads((FOLDER / "robots.json").read_text(encoding="utf-8"))
    docks = [robot["start_waypoint"] for robot in robots]
    assert sorted(docks) == sorted(w["location_code"] for w in of_kind("DOCK"))
    assert len({robot["robot_name"] for robot in robots}) == len(robots)


def test_plans_name_every_room_of_the_map() -> None:
    for waypoint in MAP["waypoints"]:
        room = waypoint["metadata"].get("room")
        if room is not None:
            assert room in PLANS[waypoint["floor"]].words


def test_room_waypoints_lie_inside_their_rooms() -> None:
    for code in [*STUDY_ROOMS, "SIL-1"]:
        assert PLANS[WAYPOINTS[code]["floor"]].rooms[code].holds(spot(code)), code


def test_desks_and_docks_are_drawn_at_their_waypoints() -> None:
    for waypoint in of_kind("WORKSTATION", "RETURN_STATION", "DOCK"):
        drawn = PLANS[waypoint["floor"]].marks[waypoint["location_code"]]
        assert math.dist(drawn, spot(waypoint["location_code"])) < 0.01, waypoint["name"]


@pytest.mark.parametrize("edge", on_one_floor(), ids=lambda edge: f"{edge['from']}>{edge['to']}")
def test_no_edge_touches_a_wall_or_furniture(edge: Edge) -> None:
    road = (spot(edge["from"]), spot(edge["to"]))
    plan = PLANS[WAYPOINTS[edge["from"]]["floor"]]
    assert plan.walls
    assert plan.furniture
    nearest = min(floor_plan.gap(road, obstacle) for obstacle in plan.obstacles())
    assert nearest > ROBOT_RADIUS


@pytest.mark.parametrize("floor", MAP["floors"], ids=lambda floor: floor["plan"])
def test_plan_is_self_contained_and_has_the_size_of_the_map(floor: Floor) -> None:
    path = FOLDER / floor["plan"]
    text = path.read_text(encoding="utf-8")
    width = round(floor["width_m"] * floor["pixels_per_metre"])
    height = round(floor["height_m"] * floor["pixels_per_metre"])
    assert f'viewBox="0 0 {width} {height}"' in text
    assert path.stat().st_size <= 40_000
    outside = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    for foreign in ("<script", "http:", "https:", "@import", "@font-face", "data:", "<image"):
        assert foreign not in outside


@pytest.mark.parametrize(
    ("other", "metres"),
    [
        (((1.0, -1.0), (1.0, 1.0)), 0.0),
        (((0.0, 0.5), (2.0, 0.5)), 0.5),
        (((5.0, 4.0), (9.0, 4.0)), 5.0),
    ],
)
def test_gap_measures_the_distance_of_two_lines(other: floor_plan.Segment, metres: float) -> None:
    assert floor_plan.gap(((0.0, 0.0), (2.0, 0.0)), other) == pytest.approx(metres)


def test_map_passes_the_checks_of_the_service() -> None:
    places: dict[str, Any] = {
        place["location_code"].lower(): SimpleNamespace(
            location_code=place["location_code"],
            floor=place["floor"],
            kind=WaypointKind(place["kind"]),
        )
        for place in MAP["waypoints"]
    }
    edges = [EdgeBody.model_validate(edge) for edge in MAP["edges"]]
    assert map_checks.find_faults(edges, places) == {}
