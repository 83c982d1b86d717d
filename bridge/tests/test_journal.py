"""The journal keeps events on disk until LUNA has answered them."""

import json
from pathlib import Path

import pytest

from bridge.protocol.journal import MAX_LINES, Journal

pytestmark = pytest.mark.anyio


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def lines_of(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines()


def unsent(journal: Journal) -> list[tuple[str, int, str]]:
    return [(event.command_id, event.number, event.type) for event in journal.unsent]


async def test_unsent_events_survive_restart_in_order(file: Path) -> None:
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
    assert again.record("go").lease_token == 7
    again.close()


async def test_event_numbers_continue_after_restart(file: Path) -> None:
    journal = Journal(file)
    await journal.answered(await journal.append("go", "ACCEPTED", {}))
    journal.close()
    again = Journal(file)
    assert (await again.append("go", "STARTED", {})).number == 2
    again.close()


async def test_end_of_command_survives_restart(file: Path) -> None:
    journal = Journal(file)
    await journal.answered(await journal.append("go", "SUCCEEDED", {"speed": 0}))
    journal.close()
    again = Journal(file)
    assert again.record("go").end == {"type": "SUCCEEDED", "speed": 0}
    again.close()


async def test_incomplete_last_line_is_skipped(file: Path) -> None:
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


async def test_trimmed_file_keeps_records_and_unsent_events(file: Path) -> None:
    journal = Journal(file)
    await journal.lease("go", 7)
    for _ in range(MAX_LINES):
        await journal.answered(await journal.append("go", "PROGRESS", {}))
    assert len(lines_of(file)) < MAX_LINES
    await journal.append("go", "ARRIVED", {})
    journal.close()
    again = Journal(file)
    assert unsent(again) == [("go", MAX_LINES + 1, "ARRIVED")]
    assert again.record("go").lease_token == 7
    again.close()


async def test_newer_lease_survives_restart(file: Path) -> None:
    journal = Journal(file)
    await journal.lease("go", 7)
    await journal.append("go", "ACCEPTED", {})
    await journal.lease("go", 9)
    journal.close()
    assert json.loads(lines_of(file)[-1]) == {"lease": 9, "command": "go"}
    again = Journal(file)
    assert again.record("go").lease_token == 9
    again.close()
