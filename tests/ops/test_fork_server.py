"""Programs started by the fork server are children of the supervisor like all others."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.shared.infra.services import SERVICES
from ops.home import ROOT
from ops.native import fork_server
from ops.processes import become_subreaper, read_process, spawn
from ops.servers import probes
from tests.ops.conftest import eventually

SERVICE = "|".join(SERVICES)
PROGRAM = """
import json, os, signal, sys
print(json.dumps([sys.argv, dict(os.environ), os.getcwd(), os.getsid(0) == os.getpid()]))
signal.pause()
"""


PRINT_LOADED = (
    "import sys; from prometheus_client import REGISTRY; print(*sys.modules); "
    "print(*(metric.name for metric in REGISTRY.collect()), flush=True)"
)
# each in a process of its own, which finds the packages that are not ours already imported
IMPORTED_BY_EACH = f"""
import fastapi, importlib, opentelemetry.sdk.trace, os, psycopg, psycopg2, redis.asyncio
import sqlalchemy.ext.asyncio
for module in {{}}:
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        assert status == 0, (module, status)
    else:
        importlib.import_module(module)
        {PRINT_LOADED}
        os._exit(0)
"""


# what the fork server imports, and what a fork of it would share
IMPORTED_BY_SERVER = f"""
import importlib, os, threading
from ops.native import fork_server
files = len(os.listdir("/proc/self/fd"))
for name in fork_server.modules():
    importlib.import_module(name)
left = [threading.active_count(), len(os.listdir("/proc/self/fd")) - files]
from backend.shared.infra import config
left += [name for name, value in vars(config).items()
         if hasattr(value, "cache_info") and value.cache_info().currsize]
{PRINT_LOADED}
print(*left)
"""


@dataclass
class Server:
    """A fork server without packages, and a program for it to run."""

    address: str
    folder: Path
    process: subprocess.Popen[bytes]

    def fork(self, *words: str) -> int | None:
        request = {
            "words": ["a_small_program", *words],
            "environment": {"MARKER": "set for the child", "PYTHONPATH": str(self.folder)},
            "directory": str(self.folder),
            "log": str(self.folder / "log"),
            "death_signal": int(signal.SIGKILL),
            "parent": os.getpid(),
        }
        return fork_server.fork(self.address, request)


@pytest.fixture
def server() -> Iterator[Server]:
    become_subreaper()
    with tempfile.TemporaryDirectory(prefix="luna-n-") as name:
        folder = Path(name)
        (folder / "a_small_program.py").write_text(PROGRAM)
        (folder / "imported_code.py").write_text("")
        address = str(folder / "s.sock")
        code = (
            "import sys; from ops.native import fork_server as f; "
            "f.PACKAGES = ('imported_code',); f.SERVICE_CODE = (); "
            "f.CODE = (f.Path.cwd(),); f.ROOT = f.Path.cwd(); "
            "f.serve(sys.argv[1])"
        )
        process = spawn(
            [sys.executable, "-c", code, address, fork_server.COMMAND_LINE_PADDING],
            environment={**os.environ, "PYTHONPATH": f"{ROOT}:{folder}"},
            directory=folder,
        )
        eventually(lambda: probes.is_listening(address), "the fork server listens")
        yield Server(address, folder, process)
        process.kill()
        process.wait()


def test_child_has_its_own_environment_command_line_session_and_log(server: Server) -> None:
    pid = server.fork("--loud")
    assert pid
    log = server.folder / "log"
    output = eventually(lambda: log.exists() and log.read_text(), "the child has written")
    assert '"set for the child"' in output
    assert "HOME" not in output
    assert '"--loud"' in output
    assert output.rstrip().endswith("true]"), "it leads its own session"
    child = read_process(pid)
    assert child
    assert child.parent == os.getpid()
    line = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    assert line[-3:] == [b"-m", b"a_small_program", b"--loud"]
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_child_survives_the_fork_server(server: Server) -> None:
    pid = server.fork()
    assert pid
    server.process.kill()
    server.process.wait()
    assert read_process(pid)
    os.kill(pid, signal.SIGTERM)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGTERM


def test_killed_fork_server_returns_no_pid(server: Server) -> None:
    server.process.kill()
    server.process.wait()
    assert server.fork() is None


def test_fork_server_with_old_code_ends_instead_of_forking(server: Server) -> None:
    os.utime(server.folder / "imported_code.py", ns=(0, 0))
    assert server.fork() is None
    assert server.process.wait() == 0


@pytest.fixture(scope="module")
def imported_by_server() -> list[str]:
    """Its modules, its metrics, and what is left of the imports, a line each."""
    return _output(IMPORTED_BY_SERVER).splitlines()


def test_nothing_of_one_service_appears_in_another(imported_by_server: list[str]) -> None:
    """Neither its metrics nor its routes, listeners and periodic jobs."""
    code = IMPORTED_BY_EACH.format([f"backend.{name}.main" for name in SERVICES])
    loaded = _loaded(_output(code).splitlines())
    assert len(loaded) == len(SERVICES)
    ((imported, metrics),) = _loaded(imported_by_server[:2])
    assert imported
    own = {name.split(".")[2] for name in imported if re.match(rf"backend\.({SERVICE})\.", name)}
    assert own <= {"schemas", "service", "queries", "search", "imports", "bridge_protocol"}
    assert "backend.shared.messaging.scheduler" not in imported, "the periodic jobs"
    assert "backend.shared.messaging.worker" not in imported
    assert all(metrics <= own_metrics for _, own_metrics in loaded)


def _loaded(lines: list[str]) -> list[tuple[set[str], set[str]]]:
    """Return LUNA's modules and metrics of each process that printed them."""
    return [
        (
            {name for name in modules.split() if name.startswith("backend.")},
            {name for name in metrics.split() if name.startswith("luna_")},
        )
        for modules, metrics in zip(lines[::2], lines[1::2], strict=True)
    ]


def test_imports_of_the_fork_server_leave_nothing_that_a_fork_would_share(
    imported_by_server: list[str],
) -> None:
    assert imported_by_server[2].split() == ["1", "0"], "threads, open files, settings"


def _output(code: str) -> str:
    settings = {name: value for name, value in os.environ.items() if name[:5] != "LUNA_"}
    done = subprocess.run(  # noqa: S603 — our own code
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=settings | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_unresponsive_fork_server_returns_no_pid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork_server, "RESPONSE_TIMEOUT", 0.05)
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.sock")
        listener.listen()
        assert fork_server.fork("s.sock", {}) is None
