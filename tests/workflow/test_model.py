"""The workflow as a model: every behaviour within the bound keeps the properties of workflow.md.

The bound is a number of disturbances: cancellations, failures, reassignments, retries, stops,
losses of a robot, restarts of a bridge, late leases, drives that fail or end elsewhere. Reports and
events are lost, repeated and reordered without limit, and each way is followed to its end.
"""

import os
from typing import Any

import pytest

from tests.workflow import specification
from tests.workflow.model.explorer import MAX_STATES, Exploration, explore
from tests.workflow.model.mutations import DEEPER, KINDS, SURVIVORS, WHOLE, mutations
from tests.workflow.model.rules import Rules

DISTURBANCES = int(os.environ.get("LUNA_TEST_DISTURBANCES", "1"))
MUTANT_STATES = 25_000  # breadth first: the shortest ways to a violation come first
STEPS = {
    "assign", "cancel", "cancel with the book on board", "deliver outcome", "expire all leases",
    "lose the robot", "reassign", "restart the bridge", "resume", "retry", "stop",
    "take the book back", "receive the book", "fail the drive", "arrive elsewhere",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_no_behaviour_violates_the_workflow(kind: str) -> None:
    found = explore(kind, Rules(), DISTURBANCES)  # type: ignore[arg-type]  # a TaskType
    assert (found.violation, found.path) == ("", [])
    assert found.is_complete
    assert found.states > 2_000


def test_exploration_reaches_every_state_and_every_kind_of_step() -> None:
    found = explore(KINDS[0], Rules(), max(DISTURBANCES, 1))
    assert set(specification.STATES) <= found.seen
    if DISTURBANCES > 1:  # a failure and its retry are two
        assert found.seen >= STEPS
    else:
        assert found.seen >= STEPS - {"retry"}


def _find(rules: Rules, limit: int) -> Exploration | None:
    """Return the exploration that finds a violation, with the fewest disturbances."""
    for disturbances in range(DISTURBANCES + 1):
        for kind in KINDS:
            found = explore(kind, rules, disturbances, limit)
            missing = _unreached(found)
            if found.violation or (found.is_complete and disturbances > 0 and missing):
                return found
    return None


def _unreached(found: Exploration) -> set[str]:
    """Return the stages of a task that are not reached."""
    return {"ASSIGNED/LOADING", "IN_PROGRESS/HANDOVER", "COMPLETED"} - found.seen


def _chosen() -> list[Any]:
    """Return all mutations; the default run leaves out most of the tables'."""
    names = [name for name, _ in mutations() if DISTURBANCES > 1 or name not in DEEPER]
    tables = [name for name in names if not name.startswith("guard")]
    slow = {name for number, name in enumerate(tables) if number % 8}
    return [
        pytest.param(name, marks=[pytest.mark.slow] if name in slow else [], id=name)
        for name in names
    ]


@pytest.mark.parametrize("name", _chosen())
def test_mutation_is_found(name: str) -> None:
    """A survivor is listed with its reason, and only while it survives."""
    limit = MAX_STATES if name in WHOLE else MUTANT_STATES
    found = _find(dict(mutations())[name], limit)
    assert (found is None) == (name in SURVIVORS), found


def test_every_survivor_is_a_mutation() -> None:
    names = {name for name, _ in mutations()}
    assert {*SURVIVORS, *DEEPER} <= names
