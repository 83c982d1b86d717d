"""LUNA starts under bad conditions, and ends without a trace however it is ended."""

import os
import signal
import socket
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ops.home import write_whole
from tests.ops.conftest import SmallLuna, eventually


def test_killed_with_9_it_leaves_no_process_and_starts_again(luna: SmallLuna) -> None:
    assert luna.up().returncode == 0
    luna.kill(luna.state()["pid"])
    luna.everything_ended()
    assert luna.status()["state"] == "down"
    assert luna.up().returncode == 0

    luna.kill(luna.state()["guard"])
    luna.everything_ended()
    assert luna.up().returncode == 0

    for pid in (luna.state()["guard"], luna.state()["pid"]):
        luna.kill(pid)
    # only a grandchild that nobody told can be left: the next start ends it
    eventually(lambda: len(luna.processes()) <= 1, "all but the worker's child ended")
    left = luna.processes()
    assert luna.up().returncode == 0
    assert not luna.processes() & left


def test_ctrl_c_in_the_middle_of_the_start_ends_everything(luna: SmallLuna) -> None:
    command = luna.start_in_foreground()
    eventually(lambda: luna.part("postgres").get("state") == "starting", "PostgreSQL starts")
    command.send_signal(signal.SIGINT)
    assert command.wait(timeout=10) == 128 + signal.SIGINT
    luna.everything_ended()


def test_a_killed_foreground_command_takes_everything_along(luna: SmallLuna) -> None:
    command = luna.start_in_foreground()
    eventually(lambda: luna.state().get("state") == "ready", "it is ready")
    command.kill()
    command.wait()
    luna.everything_ended()


def test_two_that_start_it_at_once_get_one(luna: SmallLuna) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: luna.up(), range(2)))
    assert [started.returncode for started in both] == [0, 0]
    address = luna.state()["address"]
    assert all(address in started.stdout for started in both)
    pids = [row["pid"] for row in luna.state()["services"]]
    assert len(luna.processes() & set(pids)) == len(pids)


def test_stopping_is_orderly(luna: SmallLuna) -> None:
    luna.up()
    assert luna.luna("down").returncode == 0
    assert not luna.processes()
    log = (luna.home / "logs" / "postgres.log").read_text()
    assert "database system is shut down" in log
    assert luna.luna("down").returncode == 0, "stopping twice is no error"


def test_a_taken_port_gives_the_next_free_one_and_is_said(luna: SmallLuna) -> None:
    with socket.create_server(("127.0.0.1", luna.port)):
        started = luna.up()
    assert started.returncode == 0
    assert f"Port {luna.port} is taken" in started.stdout
    assert luna.state()["address"] != f"http://127.0.0.1:{luna.port}"


def test_two_homes_run_side_by_side(luna: SmallLuna) -> None:
    with tempfile.TemporaryDirectory(prefix="luna-o-") as folder:
        # deep, and with letters that configuration files would need quoted
        other = SmallLuna(Path(folder) / "a deep; place" / ("x" * 120) / "home", port=luna.port)
        try:
            assert luna.up().returncode == 0
            assert other.up().returncode == 0
            assert luna.state()["address"] != other.state()["address"]
            luna.luna("down")
            assert other.status()["state"] == "ready"
        finally:
            other.luna("down")
        other.everything_ended()


def test_a_part_that_cannot_start_is_named_with_its_last_words(luna: SmallLuna) -> None:
    luna.more = {"STAND_IN_BROKEN": "robot-service"}
    started = luna.up()
    assert started.returncode == 1
    assert "robot-service exited with 1" in started.stdout
    assert "no such luck" in started.stdout
    luna.everything_ended()


def test_leftovers_are_known_by_more_than_a_number(luna: SmallLuna) -> None:
    """A note with our own pid but another start time must not end the test."""
    (luna.home / "work").mkdir(parents=True)
    write_whole(luna.home / "work" / "redis.json", f'{{"pid": {os.getpid()}, "started": 1}}')
    assert luna.up().returncode == 0


def test_fresh_forgets_the_data_and_refuses_while_it_runs(luna: SmallLuna) -> None:
    luna.up()
    assert luna.up("--fresh").returncode == 1
    luna.luna("down")
    marker = luna.home / "postgres" / "data" / "marker"
    marker.touch()
    assert luna.up("--fresh", "--no-demo").returncode == 0
    assert not marker.exists()
    assert luna.status()["accounts"] == []
