"""The nursery: its children are as if they had been started by the supervisor itself."""

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
from ops.processes import adopt_orphans, look, spawn
from ops.servers import probes
from tests.ops.conftest import eventually

PROGRAM = """
import json, os, signal, sys
print(json.dumps([sys.argv, dict(os.environ), os.getcwd(), os.getsid(0) == os.getpid()]))
signal.pause()
"""


@dataclass
class Born:
    """A nursery without packages, and a program to be born in it."""

    address: str
    folder: Path
    process: subprocess.Popen[bytes]

    def give_birth(self, *words: str) -> int | None:
        request = {
            "words": ["a_small_program", *words],
            "environment": {"WHAT": "of the child", "PYTHONPATH": str(self.folder)},
            "directory": str(self.folder),
            "log": str(self.folder / "log"),
            "death_signal": int(signal.SIGKILL),
            "parent": os.getpid(),
        }
        return fork_server.ask(self.address, request)


@pytest.fixture
def born() -> Iterator[Born]:
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="luna-n-") as name:
        folder = Path(name)
        (folder / "a_small_program.py").write_text(PROGRAM)
        address = str(folder / "s.sock")
        code = (
            "import sys; from ops.native import fork_server as f; "
            "f.PACKAGES = (); f.serve(sys.argv[1])"
        )
        process = spawn(
            [sys.executable, "-c", code, address, fork_server.ROOM_FOR_A_NAME],
            environment={**os.environ, "PYTHONPATH": f"{ROOT}:{folder}"},
            directory=folder,
        )
        eventually(lambda: probes.somebody_listens(address), "the nursery listens")
        yield Born(address, folder, process)
        process.kill()
        process.wait()


def test_a_child_is_ours_with_its_own_environment_words_and_log(born: Born) -> None:
    pid = born.give_birth("--loud")
    assert pid
    log = born.folder / "log"
    said = eventually(lambda: log.exists() and log.read_text(), "the child speaks")
    assert '"of the child"' in said
    assert "HOME" not in said
    assert '"--loud"' in said
    assert said.rstrip().endswith("true]"), "it leads a session of its own"
    seen = look(pid)
    assert seen
    assert seen.parent == os.getpid()
    line = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    assert line[-3:] == [b"-m", b"a_small_program", b"--loud"]
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_a_child_lives_on_when_the_nursery_dies(born: Born) -> None:
    pid = born.give_birth()
    assert pid
    born.process.kill()
    born.process.wait()
    assert look(pid)
    os.kill(pid, signal.SIGTERM)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGTERM


def test_a_nursery_that_is_gone_gives_no_child(born: Born) -> None:
    born.process.kill()
    born.process.wait()
    assert born.give_birth() is None


def test_a_listener_that_does_not_answer_gives_no_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork_server, "ANSWER_WITHIN", 0.05)
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.sock")
        listener.listen()
        assert fork_server.ask("s.sock", {}) is None
