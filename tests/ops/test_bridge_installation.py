"""The bridge in an empty virtual environment: installed from its own lock, small, working."""

import asyncio
import json
import os
import shutil
import subprocess
import venv
from pathlib import Path

import pytest

from bridge.tests.fake_server import KEY, navigation, serving, waypoint
from ops import bootstrap
from ops.home import ROOT

MAX_PACKAGES = 10  # without the bridge itself
MAX_IDLE_KB = 60_000
UNREACHABLE = ("error sending request", "Failed to fetch", "dns error", "tcp connect error")
NAMES = (
    "import importlib.metadata as m, json; print(json.dumps([d.name for d in m.distributions()]))"
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the bridge; its folder."""
    uv = bootstrap.BOOT / "bin" / "uv"
    if not uv.exists():
        pytest.skip("The project's uv is not installed: run ./luna once.")
    folder = tmp_path_factory.mktemp("bridge")
    venv.create(folder / "env", with_pip=False)
    ignored = shutil.ignore_patterns("tests", "__pycache__")
    source = shutil.copytree(ROOT / "bridge", folder / "bridge", ignore=ignored)
    own = {
        "UV_SYSTEM_CERTS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "VIRTUAL_ENV": str(folder / "env"),
    }
    for words in (
        ("sync", "--require-hashes", str(source / "requirements.lock")),
        ("install", "--no-deps", str(source)),
    ):
        done = subprocess.run(  # noqa: S603 — our own uv
            [uv, "pip", *words, "--quiet"],
            env=os.environ | bootstrap.index() | own,
            capture_output=True,
            text=True,
            check=False,
        )
        if any(sign in done.stderr for sign in UNREACHABLE):
            pytest.skip("The package index is not reachable.")
        assert done.returncode == 0, done.stderr
    return folder / "env"


def _run(environment: Path, *words: str) -> str:
    """Run a program of the environment, outside the project; its output."""
    program, *arguments = words
    return subprocess.run(  # noqa: S603 — a program of our own environment
        [environment / "bin" / program, *arguments],
        cwd=environment,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_bridge_needs_at_most_ten_packages(environment: Path) -> None:
    installed = set(json.loads(_run(environment, "python", "-c", NAMES)))
    assert "luna-bridge" in installed
    assert len(installed - {"luna-bridge"}) <= MAX_PACKAGES
    assert not {"celery", "fastapi", "SQLAlchemy"} & installed


def test_installed_bridge_shows_its_help(environment: Path) -> None:
    assert "exchange a one-time code" in _run(environment, "python", "-m", "bridge", "--help")
    assert "--key-file" in _run(environment, "luna-bridge", "run", "--help")


@pytest.mark.anyio
async def test_installed_bridge_drives_and_is_small_when_idle(
    environment: Path, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(KEY)
    async with serving() as server:
        bridge = await asyncio.create_subprocess_exec(
            *(environment / "bin" / "luna-bridge", "run", "--driver", "simulator"),
            *("--url", server.url, "--key-file", tmp_path / "key"),
            *("--state-dir", tmp_path / "state", "--speed", "40", "--start-waypoint", "A"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            route = navigation(waypoint("A", 0), waypoint("B", 3))
            drive = await server.issue("NAVIGATE", route)
            await server.until(lambda: "SUCCEEDED" in drive.types)
            await server.until(lambda: server.heartbeats[-1]["active_command"] is None)
            assert server.heartbeats[-1]["waypoint"] == "B"
            assert _proportional_set_size(bridge.pid) < MAX_IDLE_KB
        finally:
            bridge.terminate()
            await bridge.wait()


def _proportional_set_size(pid: int) -> int:
    """Kilobytes of memory, shared pages divided among their processes."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
