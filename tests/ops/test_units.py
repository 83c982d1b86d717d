"""The pieces of the command that need no running system."""

import json
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from ops.commands import lint
from ops.home import ROOT, SOCKET_ROOM, Home, secret
from ops.native import pid_files
from ops.native.component import FIRST_PAUSE, LONGEST_PAUSE, Component, Life, State
from ops.native.status import is_running
from ops.native.supervisor_main import take_lock
from ops.processes import look, spawn
from ops.servers import environment, nginx, prerequisites


def test_a_home_that_lies_deep_has_sockets_with_short_paths(tmp_path: Path) -> None:
    home = Home(tmp_path / ("deep" * 30))
    home.make()
    assert len(home.socket("notification-service")) <= SOCKET_ROOM
    assert home.sockets.resolve().stat().st_mode & 0o077 == 0
    home.make()  # a second time finds the same place
    home.sockets.resolve().joinpath("postgres").rmdir()
    home.sockets.resolve().rmdir()


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    assert secret(home, "x") == secret(home, "x") != secret(home, "y")
    assert (home.keys / "x.secret").stat().st_mode & 0o777 == 0o600


def test_the_lock_tells_whether_it_runs(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert not is_running(home)
    lock = take_lock(home)
    assert lock
    with lock:
        assert is_running(home)
        assert take_lock(home) is None
    assert not is_running(home)


def test_two_that_want_the_same_port_get_different_ones() -> None:
    first, held = nginx.reserve_port(23000)
    with held:
        second, other = nginx.reserve_port(first)
        other.close()
    assert second > first


def test_the_template_is_filled_in_and_forgets_nothing() -> None:
    assert nginx.render("listen ${LUNA_X}; $host", {"LUNA_X": "1"}) == "listen 1; $host"
    with pytest.raises(KeyError):
        nginx.render("${LUNA_UNKNOWN}", {})


def test_dotenv_drops_comments_quotes_and_what_is_empty(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text('# no=1\nLUNA_A=1   # one\nLUNA_B=\nLUNA_C="two words"\n\nnonsense\n')
    assert environment.read_dotenv(file) == {"LUNA_A": "1", "LUNA_C": "two words"}


def test_a_lock_with_an_address_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lint.lock_names_no_address() == ""
    bad = tmp_path / "requirements.lock"
    bad.write_text("--index-url https://example.org/simple\nx==1\n")
    monkeypatch.setattr(lint, "LOCK", bad)
    assert "requirements.lock:1:" in lint.lock_names_no_address()


def test_pauses_between_restarts_grow_to_a_bound_and_heal_with_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr("ops.native.component.time.monotonic", lambda: clock[0])
    life = Life(Component(name="x", command=list))

    def pause() -> float:
        life.enter(State.STARTING)
        life.died(-signal.SIGKILL)
        life.enter(State.RESTARTING)
        began = clock[0]
        while not life.pause_is_over:
            clock[0] += 0.05
        return clock[0] - began

    pauses = [pause() for _ in range(10)]
    assert pauses[0] == pytest.approx(FIRST_PAUSE, abs=0.06)
    assert all(later > before - 0.06 for before, later in pairwise(pauses))
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE, abs=0.06)
    assert life.last_exit == "was ended by SIGKILL"
    life.enter(State.READY)
    clock[0] += 60
    life.died(1)
    life.enter(State.RESTARTING)
    clock[0] += FIRST_PAUSE * 1.1
    assert life.pause_is_over


def test_a_leftover_is_ended_and_a_stranger_is_not(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    waits = [sys.executable, "-S", "-c", "import signal; signal.pause()"]
    ours = spawn(waits, environment=os.environ, directory=home.work)
    elsewhere = spawn(waits, environment=os.environ, directory=tmp_path)
    pid_files.remember(home, "ours", ours.pid)
    pid_files.remember(home, "elsewhere", elsewhere.pid)  # as if its number were used again
    pid_files.end_leftovers(home)
    assert ours.wait() == -signal.SIGKILL
    assert elsewhere.poll() is None
    elsewhere.kill()
    elsewhere.wait()
    assert not list(home.work.glob("*.json"))


def test_an_orphan_of_a_leftovers_session_is_ended_too(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    code = "import os, signal\npid = os.fork()\nprint(pid, flush=True) if pid else signal.pause()\n"
    leader = spawn(
        [sys.executable, "-S", "-c", code],
        environment=os.environ,
        directory=home.work,
        log=home.log("leader"),
    )
    pid_files.remember(home, "leader", leader.pid)
    leader.wait()
    orphan = int(home.log("leader").read_text())
    assert look(orphan)
    pid_files.end_leftovers(home)
    assert not look(orphan)


def test_what_is_missing_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUNA_NGINX", "no-such-nginx")
    monkeypatch.setattr("ops.servers.prerequisites.os.geteuid", lambda: 1000)
    with pytest.raises(
        prerequisites.MissingProgramsError, match=r"Missing: Nginx\. .*apt-get install"
    ):
        prerequisites.ensure()


def test_a_program_that_cannot_be_had_ends_with_3() -> None:
    done = subprocess.run(  # noqa: S603 — our own command
        [str(ROOT / "luna"), "up", "--native"],
        env={**os.environ, "LUNA_NGINX": "no-such-nginx", "LUNA_APT_GET": "no-apt"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "Missing: Nginx" in done.stderr


@pytest.mark.parametrize("before", [None, b"#!/bin/sh\nexit 0\n"])
def test_what_decided_about_services_before_decides_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes | None
) -> None:
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(prerequisites, "POLICY", policy)
    if before:
        policy.write_bytes(before)
    with prerequisites.services_not_started():
        asked = subprocess.run([str(policy)], check=False)  # noqa: S603 — the file just made
        assert asked.returncode == 101
    assert (policy.read_bytes() if policy.exists() else None) == before


def test_logs_that_grew_are_moved_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path / "home")
    home.make()
    monkeypatch.setattr(pid_files, "LARGEST_LOG", 10)
    home.log("x").write_text("more than ten letters")
    pid_files.keep_logs_small(home)
    assert home.log("x").read_text() == ""
    assert (home.logs / "x.log.1").read_text() == "more than ten letters"


def test_the_command_works_through_a_link_and_from_anywhere(tmp_path: Path) -> None:
    link = tmp_path / "elsewhere"
    link.symlink_to(ROOT / "luna")
    done = subprocess.run(  # noqa: S603 — our own command
        [str(link), "status", "--json"],
        cwd=tmp_path,
        env={**os.environ, "LUNA_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["state"] == "down"
