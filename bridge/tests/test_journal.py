"""What the robot did is on disk until LUNA has it."""

import json
from pathlib import Path

import pytest

from bridge.protocol.journal import TRIM_AT_LINES, Journal

pytestmark = pytest.mark.anyio


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def lines_of(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines()


def unsent(journal: Journal) -> list[tuple[str, int, str]]:
    return [(event.command_id, event.number, event.type) for event in journal.unsent]


async def test_unsent_events_are_there_after_a_restart_in_order(file: Path) -> None:
    journal = Journal(file)
    await journal.lease("go", 7)
    first = await journal.append("go", "ACCEPTED", {})
    await journal.append("go", "STARTED", {"speed": 0})
    await journal.append("other", "REFUSED", {"message": "No."})
    await journal.answered(first)
    journal.close()
    again = Journal(file)
    assert unsent(again) == [("go", 2, "STARTED"), ("other", 1, "REFUSED")]
    assert again.unsent[0].details == {"speed": 0}
    assert again.mark("go").lease_token == 7
    again.close()


async def test_numbers_go_on_after_a_restart(file: Path) -> None:
    journal = Journal(file)
    await journal.answered(await journal.append("go", "ACCEPTED", {}))
    journal.close()
    again = Journal(file)
    assert (await again.append("go", "STARTED", {})).number == 2
    again.close()


async def test_the_end_of_a_command_is_remembered(file: Path) -> None:
    journal = Journal(file)
    await journal.answered(await journal.append("go", "SUCCEEDED", {"speed": 0}))
    journal.close()
    again = Journal(file)
    assert again.mark("go").end == {"type": "SUCCEEDED", "speed": 0}
    again.close()


async def test_a_line_torn_by_a_power_cut_is_skipped(file: Path) -> None:
    journal = Journal(file)
    await journal.append("go", "ACCEPTED", {})
    journal.close()
    with file.open("ab") as out:
        out.write(b'{"event": "STAR')
    again = Journal(file)
    await again.append("go", "STARTED", {})
    again.close()
    last = Journal(file)
    assert unsent(last) == [("go", 1, "ACCEPTED"), ("go", 2, "STARTED")]
    last.close()


async def test_the_file_does_not_grow_for_ever_and_forgets_nothing_it_needs(file: Path) -> None:
    journal = Journal(file)
    await journal.lease("go", 7)
    for _ in range(TRIM_AT_LINES):
        await journal.answered(await journal.append("go", "PROGRESS", {}))
    assert len(lines_of(file)) < TRIM_AT_LINES
    await journal.append("go", "ARRIVED", {})
    journal.close()
    again = Journal(file)
    assert unsent(again) == [("go", TRIM_AT_LINES + 1, "ARRIVED")]
    assert again.mark("go").lease_token == 7
    again.close()


async def test_a_newer_lease_is_what_unsent_events_carry(file: Path) -> None:
    journal = Journal(file)
    await journal.lease("go", 7)
    await journal.append("go", "ACCEPTED", {})
    await journal.lease("go", 9)
    journal.close()
    assert json.loads(lines_of(file)[-1]) == {"lease": 9, "command": "go"}
    again = Journal(file)
    assert again.mark("go").lease_token == 9
    again.close()
