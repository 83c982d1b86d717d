"""Start and stop of a native LUNA: signals, kills, concurrent starts, ports in use."""

import os
import signal
import socket
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ops.home import write_atomically
from tests.ops.conftest import SmallLuna, eventually


def test_killed_supervisor_leaves_no_process_and_starts_again(luna: SmallLuna) -> None:
    assert luna.up().returncode == 0
    luna.kill(luna.state()["pid"])
    luna.wait_until_stopped()
    assert luna.status()["state"] == "down"
    assert luna.up().returncode == 0

    luna.kill(luna.state()["subreaper"])
    luna.wait_until_stopped()
    assert luna.up().returncode == 0

    for pid in (luna.state()["subreaper"], luna.state()["pid"]):
        luna.kill(pid)
    # only the worker's child, which has no death signal, can be left: the next start kills it
    eventually(lambda: len(luna.processes()) <= 1, "all but the worker's child have exited")
    left = luna.processes()
    assert luna.up().returncode == 0
    assert not luna.processes() & left


def test_ctrl_c_during_the_start_stops_everything(luna: SmallLuna) -> None:
    command = luna.start_in_foreground()
    eventually(lambda: luna.component("postgres").get("state") == "starting", "PostgreSQL starts")
    command.send_signal(signal.SIGINT)
    assert command.wait(timeout=60) == 128 + signal.SIGINT
    luna.wait_until_stopped()


def test_killed_foreground_command_stops_everything(luna: SmallLuna) -> None:
    command = luna.start_in_foreground()
    eventually(lambda: luna.state().get("state") == "ready", "it is ready")
    command.kill()
    command.wait()
    luna.wait_until_stopped()


def test_two_concurrent_starts_run_one_system(luna: SmallLuna) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: luna.up(), range(2)))
    assert [started.returncode for started in both] == [0, 0]
    address = luna.state()["address"]
    assert all(address in started.stdout for started in both)
    pids = [row["pid"] for row in luna.state()["services"]]
    assert len(luna.processes() & set(pids)) == len(pids)


def test_down_shuts_postgres_down_cleanly(luna: SmallLuna) -> None:
    luna.up()
    assert luna.luna("down").returncode == 0
    assert not luna.processes()
    log = (luna.home / "logs" / "postgres.log").read_text()
    assert "database system is shut down" in log
    assert luna.luna("down").returncode == 0, "a second `down` succeeds"


def test_port_in_use_is_replaced_by_the_next_free_one(luna: SmallLuna) -> None:
    with socket.create_server(("127.0.0.1", luna.port)):
        started = luna.up()
    assert started.returncode == 0
    assert f"Port {luna.port} is taken" in started.stdout
    assert luna.state()["address"] != f"http://127.0.0.1:{luna.port}"


def test_two_homes_run_side_by_side(luna: SmallLuna) -> None:
    with tempfile.TemporaryDirectory(prefix="luna-o-") as folder:
        # a long path with characters that need quoting in configuration files
        other = SmallLuna(Path(folder) / "a deep; place" / ("x" * 120) / "home", port=luna.port)
        try:
            assert luna.up().returncode == 0
            assert other.up().returncode == 0
            assert luna.state()["address"] != other.state()["address"]
            luna.luna("down")
            assert other.status()["state"] == "ready"
        finally:
            other.luna("down")
        other.wait_until_stopped()


def test_failed_component_is_named_with_the_end_of_its_log(luna: SmallLuna) -> None:
    luna.more = {"FAKE_BROKEN": "robot-service"}
    started = luna.up()
    assert started.returncode == 1
    assert "robot-service exited with 1" in started.stdout
    assert "broken on purpose" in started.stdout
    luna.wait_until_stopped()


def test_pid_file_with_another_start_time_kills_nothing(luna: SmallLuna) -> None:
    """The pid file names the process of this test, with another start time."""
    write_atomically(luna.home / "work" / "redis.json", f'{{"pid": {os.getpid()}, "started": 1}}')
    assert luna.up().returncode == 0


def test_fresh_deletes_the_data_and_is_refused_while_running(luna: SmallLuna) -> None:
    luna.up()
    assert luna.up("--fresh").returncode == 1
    luna.luna("down")
    marker = luna.home / "postgres" / "data" / "marker"
    marker.touch()
    assert luna.up("--fresh", "--no-demo").returncode == 0
    assert not marker.exists()
    assert luna.status()["accounts"] == []
