"""The components of the simulated robots."""

from pathlib import Path

import pytest

from ops.home import Home
from ops.native import simulators


@pytest.mark.parametrize(
    ("count", "names"),
    [(0, []), (2, ["robot-1", "robot-2"]), (200, ["robots"])],
)
def test_many_robots_share_one_process(tmp_path: Path, count: int, names: list[str]) -> None:
    made = simulators.components(Home(tmp_path), "http://127.0.0.1:1", count, 10.0)
    assert [component.name for component in made] == names


def test_shared_process_drives_all_robots_of_the_home(tmp_path: Path) -> None:
    (fleet,) = simulators.components(Home(tmp_path), "http://127.0.0.1:1", 200, 10.0)
    words = fleet.command()
    assert words[words.index("--count") + 1] == "200"
    assert words[words.index("--speed") + 1] == "10.0"
    assert words[words.index("--directory") + 1] == str(Home(tmp_path).robots)
