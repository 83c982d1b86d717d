"""The walk along the shelves as a pure function."""

from uuid import UUID

import pytest

from backend.delivery.service import pick_list
from backend.delivery.service.pick_list import Pick

pytestmark = pytest.mark.unit


def _walk(*shelves: str | None, floor: int = 1, bring_to: str = "Desk") -> list[str | None]:
    picks = [Pick(UUID(int=n), floor, bring_to, shelf) for n, shelf in enumerate(shelves)]
    steps = pick_list.plan_walk(picks)
    return [
        shelves[pick.task_id.int] for pick in sorted(picks, key=lambda p: steps[p.task_id].sequence)
    ]


def test_one_walks_up_one_aisle_and_down_the_next() -> None:
    shelves = ("B-1", "A-10", "A-2", "C-1", "B-9", "C-4", "A-1")
    assert _walk(*shelves) == ["A-1", "A-2", "A-10", "B-9", "B-1", "C-1", "C-4"]


def test_numbers_of_aisles_are_compared_by_value() -> None:
    assert _walk("10-1", "2-1", "2-2") == ["2-1", "2-2", "10-1"]


def test_book_without_a_shelf_comes_last() -> None:
    assert _walk(None, "Z-1", "A-1") == ["A-1", "Z-1", None]


def test_each_trip_goes_to_one_workstation_on_one_floor() -> None:
    picks = [
        Pick(UUID(int=n), floor=n % 2, bring_to=f"Desk {n % 4}", shelf=f"A-{n}") for n in range(40)
    ]
    steps = pick_list.plan_walk(picks)
    trips: dict[int, set[tuple[int, str]]] = {}
    for pick in picks:
        trips.setdefault(steps[pick.task_id].batch, set()).add((pick.floor, pick.bring_to))
    assert all(len(places) == 1 for places in trips.values())
    assert sorted(step.sequence for step in steps.values()) == list(range(1, 41))


def test_trip_has_at_most_what_a_person_carries() -> None:
    picks = [Pick(UUID(int=n), 1, "Desk", f"A-{n}") for n in range(30)]
    batches = [step.batch for step in pick_list.plan_walk(picks).values()]
    assert [batches.count(batch) for batch in (1, 2, 3)] == [12, 12, 6]
