"""`./luna` with Docker Compose; a fake `docker` program records its calls."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from ops import compose
from ops.home import ROOT, Home
from ops.native.topology import COMPONENTS

COMPOSE_PS = "\n".join(
    json.dumps(
        {
            "Service": name,
            "Name": f"luna-{name}-1",
            "State": "running",
            "Health": "starting" if name == "celery-worker" else "healthy",
            "CreatedAt": "2026-11-20 17:00:00 +0000 UTC",
            "Publishers": [{"PublishedPort": 8080}] if name == "nginx" else [],
        }
    )
    for name in COMPONENTS
)
ENGINE = """#!/bin/sh
echo "$LUNA_PORT $*" >>"$CALLS"
case "$*" in
  info) exit "${ENGINE_DOWN:-0}" ;;
  *" ps --quiet "*) echo container-1 ;;
  *" ps "*) cat "$ROWS" ;;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a fake `docker`; return the file in which it records its calls."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(ENGINE)
    program.chmod(0o755)
    file = tmp_path / "compose.yaml"
    monkeypatch.setattr(compose, "FILE", file)
    (tmp_path / "rows").write_text(COMPOSE_PS)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("ROWS", str(tmp_path / "rows"))
    return tmp_path / "calls"


def test_running_docker_is_used_unless_native_is_requested(calls: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert compose.is_chosen(home, None)
    assert compose.is_chosen(home, docker=True)
    assert not compose.is_chosen(home, docker=False)


def test_without_docker_a_native_start_is_announced(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENGINE_DOWN", "1")
    assert not compose.is_chosen(Home(tmp_path / "home"), docker=True)
    assert "starting natively" in capsys.readouterr().err


def test_up_builds_and_waits_until_down_removes_the_marker(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    responses = iter([False, True])
    monkeypatch.setattr("ops.servers.probes.http_answers", lambda *_: next(responses))
    assert compose.up(home, port=8123, detach=True, fresh=True, demo=True) == 0
    assert compose.is_running(home)
    assert compose.run_inside(home, "ops.commands.check") == 0
    recorded = calls.read_text()
    assert "down --volumes" in recorded
    assert "8123 compose" in recorded
    assert "compose.overlay.yaml up --build --detach" in recorded
    assert (
        "exec --env LUNA_DATABASE_URL_FILE=/secrets/operator/database_url celery-worker "
        "python -m ops.commands.check" in recorded
    )
    assert compose.down(home) == 0
    assert not compose.is_running(home)


def test_restart_starts_new_containers_before_it_ends_the_old(calls: Path, tmp_path: Path) -> None:
    assert compose.restart(Home(tmp_path), "book") == 0
    recorded = [line.partition(" ")[2] for line in calls.read_text().splitlines()]
    ends = [line.partition("--scale ")[2] or line for line in recorded[1:]]
    assert ends == [
        "book-service=2 book-service",
        "stop container-1",
        "rm container-1",
        "book-service=1 book-service",
    ]
    assert compose.restart(Home(tmp_path), "postgres") == 1


def test_compose_status_has_the_structure_of_the_native_one(calls: Path, tmp_path: Path) -> None:
    status = compose.status(Home(tmp_path))
    assert list(status) == ["address", "state", "services", "accounts"]
    assert status["address"] == "http://127.0.0.1:8080"
    assert status["state"] == "degraded"
    assert [row["name"] for row in status["services"]] == list(COMPONENTS)
    states = {row["name"]: row["state"] for row in status["services"]}
    assert states["celery-worker"] == "starting"
    assert states["nginx"] == "ready"
    assert status["services"][0]["since"] == "2026-11-20T17:00:00Z"


def test_status_command_shows_a_home_run_by_compose(calls: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "compose").touch()
    done = subprocess.run(  # noqa: S603 — the luna command
        [str(ROOT / "luna"), "status", "--json"],
        env={**os.environ, "LUNA_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["state"] == "degraded"
