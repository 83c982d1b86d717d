"""The simulated robots: their components, and the day of misbehaviour that they are measured on."""

from pathlib import Path

import pytest

from backend.shared.infra.config import RobotSettings, WorkflowSettings
from bridge.simulation.faults import Kind, parse_script
from ops import bench
from ops.bench.fleet_day import robots
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


def test_script_injects_every_kind_of_fault() -> None:
    assert {fault.fault for fault in parse_script(robots.SCRIPT)} == set(Kind)


def test_settings_are_read_by_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in bench.settings("fleet_day").items():
        monkeypatch.setenv(name, value)
    assert WorkflowSettings().loading_timeout.total_seconds() == 12
    assert RobotSettings().offline_after.total_seconds() == 6


def test_long_benchmark_exists_and_other_benchmarks_need_no_settings() -> None:
    assert set(bench.names()) >= bench.ON_DEMAND
    assert bench.settings("fleet") == {}
