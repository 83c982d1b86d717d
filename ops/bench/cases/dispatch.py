"""Time of one dispatch decision: 1 000 waiting tasks, 200 free robots, a map of 100 waypoints.

The policy alone, over a snapshot in memory. A process computes the distances of a map version once;
the first decision includes that. The comparison is a choice of the robot by straight-line distance
without any rule.
"""

import math
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import UUID

from backend.robot.service import dispatch_policy
from backend.robot.service.dispatch_policy import FleetRobot, Limits, Snapshot, WaitingTask
from backend.shared.domain.route_graph import GraphWaypoint, RouteGraph
from backend.shared.models import EdgeKind, Priority, WaypointEdge, WaypointKind
from ops.bench import Result
from ops.bench.system import System

_TASKS, _ROBOTS, _SIDE = 1000, 200, 10
_BAR_MS = 100.0


def _map() -> RouteGraph:
    """A grid of corridors, 10 m between neighbours."""
    nodes = [
        GraphWaypoint(
            UUID(int=n),
            f"w{n}",
            f"W-{n}",
            WaypointKind.DELIVERY_POINT,
            1,
            10.0 * (n % _SIDE),
            10.0 * (n // _SIDE),
            0.0,
            {},
        )
        for n in range(_SIDE * _SIDE)
    ]
    pairs = [(n, n + 1) for n in range(_SIDE * _SIDE) if (n + 1) % _SIDE]
    pairs += [(n, n + _SIDE) for n in range(_SIDE * (_SIDE - 1))]
    edges = [
        WaypointEdge(
            from_id=UUID(int=a),
            to_id=UUID(int=b),
            distance=10.0,
            bidirectional=True,
            kind=EdgeKind.CORRIDOR,
        )
        for a, b in pairs
    ]
    return RouteGraph(1, nodes, edges)


def _snapshot(seed: int, graph: RouteGraph) -> Snapshot:
    chance = random.Random(seed)  # noqa: S311 (a benchmark's data, no secret)
    places = [UUID(int=n) for n in range(_SIDE * _SIDE)]
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    tasks = [
        WaitingTask(
            UUID(int=10_000 + n),
            chance.choice(list(Priority)),
            now - timedelta(seconds=chance.uniform(0, 7200)),
            chance.choice(places),
            chance.choice(places),
        )
        for n in range(_TASKS)
    ]
    robots = [
        FleetRobot(UUID(int=n + 1), chance.choice(places), chance.uniform(0.2, 1.0))
        for n in range(_ROBOTS)
    ]
    limits = Limits(timedelta(minutes=15), 0.0005, 0.15, 0.6)
    return Snapshot(now, tasks, robots, graph.lengths_to, places[:10], limits)


def _milliseconds(decide: Callable[[Snapshot], object], seed: int, graph: RouteGraph) -> float:
    snapshot = _snapshot(seed, graph)
    began = time.perf_counter()
    decide(snapshot)
    return (time.perf_counter() - began) * 1000


def _by_straight_line(snapshot: Snapshot) -> int:
    """Give each task the nearest robot by straight line; return how many got one."""
    free, assigned = list(snapshot.robots), 0

    def place(node: UUID | None) -> tuple[int, int]:
        return divmod(node.int if node is not None else 0, _SIDE)

    for task in snapshot.tasks:
        if free:
            source = place(task.source)
            free.remove(min(free, key=lambda bot: math.dist(source, place(bot.place))))
            assigned += 1
    return assigned


def run(system: System, *, short: bool) -> Iterator[Result]:
    """Decide 5 or 20 times."""
    del system  # no I/O in the policy
    seeds, graph = range(5 if short else 20), _map()
    first = _milliseconds(dispatch_policy.decide, 0, graph)
    decided = [_milliseconds(dispatch_policy.decide, seed, graph) for seed in seeds]
    plain = median(_milliseconds(_by_straight_line, seed, graph) for seed in seeds)
    yield Result(
        "1 000 tasks, 200 robots, slowest",
        max(decided),
        "ms",
        at_most=_BAR_MS,
        comparison=f"straight line: {plain:.1f} ms",
        details={"median ms": median(decided), "first ms": first},
    )
