"""The pick list: books to fetch, in the order in which one walks along the shelves.

A shelf's name is an aisle and a place in it: `A-12` is place 12 of aisle A. One walks up one aisle
and down the next, floor by floor, and carries at most a batch to the workstation before the next.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from sqlalchemy import Connection

from backend.delivery import queries

MAX_BATCH = 12  # books that a person carries in one trip
_Natural = tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """One book to fetch and where to bring it."""

    task_id: UUID
    floor: int
    bring_to: str
    shelf: str | None
    call_number: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """The place of a book in the walk, from 1, and the trip in which it is carried."""

    sequence: int
    batch: int


def read_walk(connection: Connection) -> dict[UUID, Step]:
    """Plan the walk along the shelves for every book that is to be fetched now."""
    rows = connection.execute(queries.pick_list())
    return plan_walk(
        Pick(row.task_id, row.floor, row.bring_to, row.shelf_location, row.call_number)
        for row in rows
    )


def plan_walk(picks: Iterable[Pick]) -> dict[UUID, Step]:
    """Order the picks as one walks, and cut the walk into trips to one workstation each."""
    steps: dict[UUID, Step] = {}
    batch = 0
    by_place = sorted(picks, key=lambda pick: (pick.floor, pick.bring_to))
    for _, group in groupby(by_place, key=lambda pick: (pick.floor, pick.bring_to)):
        for number, pick in enumerate(_walk(list(group))):
            batch += number % MAX_BATCH == 0
            steps[pick.task_id] = Step(len(steps) + 1, batch)
    return steps


def _walk(picks: Sequence[Pick]) -> list[Pick]:
    """Walk up one aisle and down the next; books without a shelf come last."""
    aisles: dict[_Natural, list[Pick]] = {}
    for pick in picks:
        aisles.setdefault(_natural(_aisle(pick.shelf)), []).append(pick)
    walk: list[Pick] = []
    for number, aisle in enumerate(sorted(aisles)):
        walk += sorted(aisles[aisle], key=_place, reverse=number % 2 == 1)
    return walk


def _aisle(shelf: str | None) -> str:
    """Return the part of a shelf's name before its last number; `~` sorts after every letter."""
    return re.sub(r"[\W_]*\d+\D*$", "", shelf).casefold() if shelf else "~"


def _place(pick: Pick) -> tuple[_Natural, _Natural, str]:
    return (_natural(pick.shelf or ""), _natural(pick.call_number or ""), str(pick.task_id))


def _natural(text: str) -> _Natural:
    """Compare the numbers in a name by value: A-2 before A-10."""
    parts = re.findall(r"\d+|\D+", text.casefold())
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in parts)
