"""Each row of the table of mishaps has its story, short enough to be read at once."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.unit
FOLDER = Path(__file__).parent
MAX_LINES = 40
STORIES = {
    "no robot for a while": ["mishaps/test_no_robot.py"],
    "nobody loads": ["mishaps/test_not_loaded.py"],
    "nobody receives": ["delivery/test_no_show.py"],
    "robot OFFLINE before loading": ["mishaps/test_lost_robot.py"],
    "robot silent with a book on board": ["mishaps/test_silent_robot.py"],
    "robot reports an error": ["mishaps/test_robot_error.py"],
    "blocked path": ["mishaps/test_blocked_path.py"],
    "battery under the reserve while idle": ["mishaps/test_low_battery.py"],
    "a return waits unreceived": ["mishaps/test_unreceived_return.py"],
    "emergency stop": ["robots/test_emergency_stop.py"],
    "another copy's barcode": ["mishaps/test_wrong_copy.py"],
    "student cancels": ["delivery/test_cancel.py", "mishaps/test_cancelled_return.py"],
    "a task is FAILED": ["mishaps/test_failed_task.py"],
    "staff complete a student delivery": ["mishaps/test_handover_by_staff.py"],
    "book-placed while stopped": ["mishaps/test_loading_while_stopped.py"],
    "two ask for the last copy": ["mishaps/test_last_copy.py"],
    "the same call twice": ["mishaps/test_repeated_call.py"],
}


@pytest.mark.parametrize("row", STORIES)
def test_mishap_has_a_short_story(row: str) -> None:
    for name in STORIES[row]:
        lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
        assert len(lines) <= MAX_LINES, name
        assert any(line.startswith("def test_") for line in lines), name


def test_every_story_of_a_mishap_has_its_row() -> None:
    listed = {name for names in STORIES.values() for name in names}
    found = {f"mishaps/{file.name}" for file in (FOLDER / "mishaps").glob("test_*.py")}
    assert found <= listed
