"""Programs started by the fork server are children of the supervisor like all others."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.home import ROOT
from ops.native import fork_server
from ops.processes import become_subreaper, read_process, spawn
from ops.servers import probes
from tests.ops.conftest import eventually

PROGRAM = """
import json, os, signal, sys
print(json.dumps([sys.argv, dict(os.environ), os.getcwd(), os.getsid(0) == os.getpid()]))
signal.pause()
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
        address = str(folder / "s.sock")
        code = (
            "import sys; from ops.native import fork_server as f; "
            "f.PACKAGES = (); f.serve(sys.argv[1])"
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


def test_unresponsive_fork_server_returns_no_pid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork_server, "RESPONSE_TIMEOUT", 0.05)
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.sock")
        listener.listen()
        assert fork_server.fork("s.sock", {}) is None
