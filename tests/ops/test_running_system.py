"""Status and logs of a running LUNA, and the restart of killed components."""

import os
import signal
import urllib.request
from pathlib import Path

import pytest

from ops.native.topology import COMPONENTS
from ops.processes import children_of
from tests.ops.conftest import SmallLuna, eventually


def test_status_lists_nine_components_robots_and_accounts(running: SmallLuna) -> None:
    status = running.status()
    assert list(status) == ["address", "state", "services", "accounts"]
    assert status["state"] == "ready"
    assert status["address"] == f"http://127.0.0.1:{running.port}"
    names = [row["name"] for row in status["services"]]
    assert names == [*COMPONENTS, "robot-1", "robot-2"]
    columns = ["name", "state", "pid", "restarts", "since", "endpoint"]
    assert all(list(row) == columns for row in status["services"])
    assert {row["role"] for row in status["accounts"]} == {"ADMIN", "LIBRARIAN", "STUDENT"}


def test_only_the_gateway_listens_on_tcp(running: SmallLuna) -> None:
    endpoints = {row["name"]: row["endpoint"] for row in running.status()["services"]}
    assert all(Path(endpoints[name]).is_socket() for name in COMPONENTS if name != "nginx")
    with urllib.request.urlopen(f"http://{endpoints['nginx']}/health") as answer:
        assert answer.status == 200


def test_second_up_prints_the_address_and_changes_nothing(running: SmallLuna) -> None:
    before = running.state()["pid"]
    again = running.up()
    assert again.returncode == 0
    assert f"http://127.0.0.1:{running.port}" in again.stdout
    assert running.state()["pid"] == before


@pytest.mark.parametrize("name", COMPONENTS)
def test_killed_component_is_restarted_and_leaves_no_process(running: SmallLuna, name: str) -> None:
    before = running.component(name)
    children = children_of(before["pid"])
    running.kill(before["pid"])
    eventually(lambda: running.component(name)["restarts"] > before["restarts"], "it was restarted")
    eventually(lambda: running.state()["state"] == "ready", "everything is ready again")
    assert running.component(name)["pid"] != before["pid"]
    assert not running.processes() & {before["pid"], *children}


def test_hanging_component_is_unresponsive_in_the_status(running: SmallLuna) -> None:
    pid = running.component("book-service")["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        status = running.status()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert status["state"] == "degraded"
    rows = {row["name"]: row["state"] for row in status["services"]}
    assert rows["book-service"] == "unresponsive"


def test_logs_shows_one_component(running: SmallLuna) -> None:
    assert "database system is ready" in running.luna("logs", "postgres").stdout
    assert running.luna("logs", "nobody").returncode == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="capabilities are those of root")
@pytest.mark.parametrize("name", [*COMPONENTS, "robot-1"])
def test_component_started_by_root_has_no_capabilities(running: SmallLuna, name: str) -> None:
    allowed = {"nginx": 1 << 6 | 1 << 10}.get(name, 0)  # its groups, and a port below 1024
    main = running.component(name)["pid"]
    for pid in (main, *children_of(main)):
        status = Path(f"/proc/{pid}/status").read_text()
        has = next(line for line in status.splitlines() if line.startswith("CapEff:"))
        assert int(has.split()[1], 16) & ~allowed == 0, status
