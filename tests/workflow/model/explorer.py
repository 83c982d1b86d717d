"""Explores every state that can be reached, breadth first."""

from collections import deque
from dataclasses import dataclass, field

from backend.shared.models import CLOSED_STATUSES, TaskStatus, TaskType
from tests.workflow.model import properties
from tests.workflow.model.rules import Rules
from tests.workflow.model.steps import REPEATED, steps
from tests.workflow.model.world import Violation, World, start

MAX_STATES = 3_000_000


@dataclass
class Exploration:
    """What was reached, and the shortest way to a violation if there is one."""

    states: int = 0
    depth: int = 0
    violation: str = ""
    path: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)  # states of the task, and names of steps
    is_complete: bool = True


def explore(
    kind: TaskType, rules: Rules, disturbances: int, limit: int = MAX_STATES
) -> Exploration:
    """Explore all behaviour with at most so many disturbances, or `limit` states of it."""
    found = Exploration()
    first = start(kind, disturbances)
    came_from: dict[World, tuple[World, str] | None] = {first: None}
    back: dict[World, list[World]] = {first: []}
    queue = deque([(first, 0)])
    while queue:
        world, found.depth = queue.popleft()
        try:
            properties.check(world, rules)
            following = [step for step in steps(world, rules) if step[1] != world]
        except Violation as violation:
            found.violation, found.path = str(violation), _path(came_from, world)
            break
        _note(found, world)
        for name, after in following:
            found.seen.add(name)
            if after not in came_from:
                came_from[after] = world, name
                back[after] = []
                queue.append((after, found.depth + 1))
            if name != REPEATED:
                back[after].append(world)
        if len(came_from) > limit:
            found.is_complete = False
            break
    found.states = len(came_from)
    if not found.violation and found.is_complete:
        _check_progress(found, came_from, back)
    return found


def _note(found: Exploration, world: World) -> None:
    found.seen.add("/".join(part.value for part in world.state if part is not None))


def _path(came_from: dict[World, tuple[World, str] | None], world: World) -> list[str]:
    path: list[str] = []
    while (previous := came_from[world]) is not None:
        world, name = previous
        path.append(name)
    return path[::-1]


def _check_progress(
    found: Exploration,
    came_from: dict[World, tuple[World, str] | None],
    back: dict[World, list[World]],
) -> None:
    """Each state must lead to an end of the task, or to staff who were alerted."""
    ends = [world for world in came_from if _is_end(world)]
    good, queue = set(ends), deque(ends)
    while queue:
        for before in back[queue.popleft()]:
            if before not in good:
                good.add(before)
                queue.append(before)
    stuck = next((world for world in came_from if world not in good), None)
    if stuck is not None:
        found.violation = "no step leads to an end of the task"
        found.path = _path(came_from, stuck)


def _is_end(world: World) -> bool:
    return (
        world.state[0] in CLOSED_STATUSES
        or world.state[0] is TaskStatus.FAILED
        or world.needs_staff
    )
