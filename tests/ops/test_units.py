"""Units of ops that need no running system."""

import json
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from ops.commands import lint
from ops.home import MAX_SOCKET_PATH, ROOT, Home, secret
from ops.native import pid_files
from ops.native.component import MAX_RESTART_DELAY, MIN_RESTART_DELAY, Child, Component, State
from ops.native.status import is_running
from ops.native.supervisor_main import take_lock
from ops.processes import read_process, spawn
from ops.servers import environment, nginx, prerequisites


def test_home_with_a_long_path_has_sockets_with_short_paths(tmp_path: Path) -> None:
    home = Home(tmp_path / ("deep" * 30))
    home.make()
    assert len(home.socket("notification-service")) <= MAX_SOCKET_PATH
    assert home.sockets.resolve().stat().st_mode & 0o077 == 0
    home.make()  # a second call finds the same folders
    home.sockets.resolve().joinpath("postgres").rmdir()
    home.sockets.resolve().rmdir()


def test_secret_is_generated_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    assert secret(home, "x") == secret(home, "x") != secret(home, "y")
    assert (home.keys / "x.secret").stat().st_mode & 0o777 == 0o600


def test_home_lock_shows_whether_a_supervisor_is_running(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert not is_running(home)
    lock = take_lock(home)
    assert lock
    with lock:
        assert is_running(home)
        assert take_lock(home) is None
    assert not is_running(home)


def test_reserved_port_is_not_given_out_again() -> None:
    first, held = nginx.reserve_port(23000)
    with held:
        second, other = nginx.reserve_port(first)
        other.close()
    assert second > first


def test_template_variable_without_a_value_raises() -> None:
    assert nginx.render("listen ${LUNA_X}; $host", {"LUNA_X": "1"}) == "listen 1; $host"
    with pytest.raises(KeyError):
        nginx.render("${LUNA_UNKNOWN}", {})


def test_dotenv_omits_comments_quotes_and_empty_values(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text('# no=1\nLUNA_A=1   # one\nLUNA_B=\nLUNA_C="two words"\n\nnonsense\n')
    assert environment.read_dotenv(file) == {"LUNA_A": "1", "LUNA_C": "two words"}


def test_lock_file_with_an_index_address_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lint.lock_names_no_address() == ""
    bad = tmp_path / "requirements.lock"
    bad.write_text("--index-url https://example.org/simple\nx==1\n")
    monkeypatch.setattr(lint, "LOCKS", {bad: ()})
    assert "requirements.lock:1:" in lint.lock_names_no_address()


def test_restart_delay_doubles_to_a_maximum_and_resets_after_stability(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [100.0]
    monkeypatch.setattr("ops.native.component.time.monotonic", lambda: clock[0])
    child = Child(Component(name="x", command=list))

    def restart_delay() -> float:
        child.enter(State.STARTING)
        child.record_exit(-signal.SIGKILL)
        child.enter(State.RESTARTING)
        began = clock[0]
        while not child.may_restart:
            clock[0] += 0.05
        return clock[0] - began

    delays = [restart_delay() for _ in range(10)]
    assert delays[0] == pytest.approx(MIN_RESTART_DELAY, abs=0.06)
    assert all(later > before - 0.06 for before, later in pairwise(delays))
    assert delays[-1] == pytest.approx(MAX_RESTART_DELAY, abs=0.06)
    assert child.last_exit == "was killed by SIGKILL"
    child.enter(State.READY)
    clock[0] += 60
    child.record_exit(1)
    child.enter(State.RESTARTING)
    clock[0] += MIN_RESTART_DELAY * 1.1
    assert child.may_restart


def test_leftover_is_killed_and_a_process_elsewhere_is_not(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    waits = [sys.executable, "-S", "-c", "import signal; signal.pause()"]
    ours = spawn(waits, environment=os.environ, directory=home.work)
    elsewhere = spawn(waits, environment=os.environ, directory=tmp_path)
    pid_files.write(home, "ours", ours.pid)
    pid_files.write(home, "elsewhere", elsewhere.pid)  # like a reused pid
    pid_files.kill_leftovers(home)
    assert ours.wait() == -signal.SIGKILL
    assert elsewhere.poll() is None
    elsewhere.kill()
    elsewhere.wait()
    assert not list(home.work.glob("*.json"))


def test_orphan_in_the_session_of_a_leftover_is_killed(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    code = "import os, signal\npid = os.fork()\nprint(pid, flush=True) if pid else signal.pause()\n"
    leader = spawn(
        [sys.executable, "-S", "-c", code],
        environment=os.environ,
        directory=home.work,
        log=home.log("leader"),
    )
    pid_files.write(home, "leader", leader.pid)
    leader.wait()
    orphan = int(home.log("leader").read_text())
    assert read_process(orphan)
    pid_files.kill_leftovers(home)
    assert not read_process(orphan)


def test_missing_program_is_named_with_its_installation_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LUNA_NGINX", "no-such-nginx")
    monkeypatch.setattr("ops.servers.prerequisites.os.geteuid", lambda: 1000)
    with pytest.raises(
        prerequisites.MissingProgramsError, match=r"Missing: Nginx\. .*apt-get install"
    ):
        prerequisites.ensure()


def test_up_without_a_required_program_exits_with_3() -> None:
    done = subprocess.run(  # noqa: S603 — the luna command
        [str(ROOT / "luna"), "up", "--native"],
        env={**os.environ, "LUNA_NGINX": "no-such-nginx", "LUNA_APT_GET": "no-apt"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "Missing: Nginx" in done.stderr


@pytest.mark.parametrize("before", [None, b"#!/bin/sh\nexit 0\n"])
def test_service_start_policy_is_restored_after_an_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes | None
) -> None:
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(prerequisites, "POLICY", policy)
    if before:
        policy.write_bytes(before)
    with prerequisites.services_not_started():
        done = subprocess.run([str(policy)], check=False)  # noqa: S603 — the file just written
        assert done.returncode == 101
    assert (policy.read_bytes() if policy.exists() else None) == before


def test_log_above_the_maximum_size_is_rotated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    home.make()
    monkeypatch.setattr(pid_files, "MAX_LOG_SIZE", 10)
    home.log("x").write_text("more than ten characters")
    pid_files.rotate_logs(home)
    assert home.log("x").read_text() == ""
    assert (home.logs / "x.log.1").read_text() == "more than ten characters"


def test_command_works_through_a_symbolic_link_from_any_directory(tmp_path: Path) -> None:
    link = tmp_path / "elsewhere"
    link.symlink_to(ROOT / "luna")
    done = subprocess.run(  # noqa: S603 — the luna command
        [str(link), "status", "--json"],
        cwd=tmp_path,
        env={**os.environ, "LUNA_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["state"] == "down"


def test_compiled_modules_are_kept_where_python_may_not_write_beside_its_sources() -> None:
    folder = ROOT / ".luna" / "bytecode" / ROOT.relative_to("/") / "ops"
    for old in folder.glob("cli.*.pyc"):
        old.unlink(missing_ok=True)
    forbidden = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([str(ROOT / "luna"), "--help"], env=forbidden, check=True, capture_output=True)  # noqa: S603 — the luna command
    assert list(folder.glob("cli.*.pyc"))


def test_pre_commit_runs_lint_and_no_remote_hook() -> None:
    file = ROOT / ".pre-commit-config.yaml"
    program = str(lint.PROGRAMS / "pre-commit")
    subprocess.run([program, "validate-config", str(file)], check=True)  # noqa: S603 — of .venv
    [repository] = yaml.safe_load(file.read_text(encoding="utf-8"))["repos"]
    assert repository["repo"] == "local"
    assert [hook["entry"] for hook in repository["hooks"]] == ["./luna lint"]


def test_port_folder_of_another_user_or_a_link_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = tmp_path / f"luna-ports-{os.geteuid()}"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.symlink_to(elsewhere)
    with pytest.raises(PermissionError):
        nginx.reserve_port(23000)
    folder.unlink()
    folder.mkdir(mode=0o777)
    nginx.reserve_port(23000)[1].close()
    assert folder.stat().st_mode & 0o777 == 0o700
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
        with pytest.raises(PermissionError):
            nginx.reserve_port(23000)


def test_link_in_the_port_folder_is_not_followed_and_a_lock_keeps_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = tmp_path / f"luna-ports-{os.geteuid()}"
    folder.mkdir()
    victim = tmp_path / "victim"
    victim.write_text("content")
    (folder / "23000").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        nginx.reserve_port(23000)
    (folder / "23000").unlink()
    (folder / "23000").write_text("content")
    port, lock = nginx.reserve_port(23000)
    lock.close()
    assert victim.read_text() == "content"
    assert port > 23000 or (folder / "23000").read_text() == "content"


def test_dotenv_is_ignored_by_git() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert ".env" in ignored
