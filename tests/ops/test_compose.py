"""`./luna` by Docker Compose, seen from the command: an engine that only takes notes."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from ops import compose
from ops.home import ROOT, Home
from ops.native.topology import COMPONENTS

NINE_RUN = "\n".join(
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
echo "$LUNA_PORT $*" >>"$NOTES"
case "$*" in
  info) exit "${ENGINE_DOWN:-0}" ;;
  *" ps "*) cat "$ROWS" ;;
esac
"""


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the engine notes what it was asked."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(ENGINE)
    program.chmod(0o755)
    file = tmp_path / "compose.yaml"
    (tmp_path / "make-secrets").symlink_to("/bin/true")
    monkeypatch.setattr(compose, "FILE", file)
    (tmp_path / "rows").write_text(NINE_RUN)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    monkeypatch.setenv("ROWS", str(tmp_path / "rows"))
    return tmp_path / "notes"


def test_an_engine_that_answers_is_used_unless_natively_was_asked_for(
    notes: Path, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    assert compose.is_chosen(home, None)
    assert compose.is_chosen(home, wish=True)
    assert not compose.is_chosen(home, wish=False)


def test_without_an_engine_it_starts_natively_and_says_so(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENGINE_DOWN", "1")
    assert not compose.is_chosen(Home(tmp_path / "home"), wish=True)
    assert "starting natively" in capsys.readouterr().err


def test_up_builds_waits_and_gives_the_port_and_down_forgets(
    notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    answers = iter([False, True])
    monkeypatch.setattr("ops.servers.probes.http_answers", lambda *_: next(answers))
    assert compose.up(home, port=8123, detach=True, fresh=True, demo=True) == 0
    assert compose.is_running(home)
    assert compose.run_inside(home, "ops.commands.check") == 0
    asked = notes.read_text()
    assert "down --volumes" in asked
    assert "8123 compose" in asked
    assert "compose.overlay.yaml up --build --detach" in asked
    assert "exec celery-worker python -m ops.commands.check" in asked
    assert compose.down(home) == 0
    assert not compose.is_running(home)


def test_the_status_has_the_same_shape_as_natively(notes: Path, tmp_path: Path) -> None:
    status = compose.status(Home(tmp_path))
    assert list(status) == ["address", "state", "services", "accounts"]
    assert status["address"] == "http://127.0.0.1:8080"
    assert status["state"] == "degraded"
    assert [row["name"] for row in status["services"]] == list(COMPONENTS)
    states = {row["name"]: row["state"] for row in status["services"]}
    assert states["celery-worker"] == "starting"
    assert states["nginx"] == "ready"
    assert status["services"][0]["since"] == "2026-11-20T17:00:00Z"


def test_a_home_that_compose_runs_is_shown_by_the_command(notes: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "compose").touch()
    done = subprocess.run(  # noqa: S603 — our own command
        [str(ROOT / "luna"), "status", "--json"],
        env={**os.environ, "LUNA_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["state"] == "degraded"
