"""A small LUNA in a temporary home, started by the real command."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ops.home import ROOT, read_json
from ops.processes import everything, working_directory

PATIENCE = 30.0  # seconds
_pause = threading.Event()  # never set


def eventually(condition: Callable[[], Any], what: str) -> Any:
    """The first true value of `condition`; fails with `what` when none came in time."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if value := condition():
            return value
        _pause.wait(0.02)
    raise AssertionError(f"not within {PATIENCE:.0f} s: {what}")


def free_port() -> int:
    with socket.socket() as probe:
        for port in range(21000, 32000):
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


@dataclass
class SmallLuna:
    """One home and what can be done with it."""

    home: Path
    port: int = field(default_factory=free_port)
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        own = {"LUNA_HOME": str(self.home), "LUNA_SUPERVISE_MODULE": "tests.ops.fake_services"}
        return dict(os.environ) | own | self.more

    def luna(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 — our own command
            [str(ROOT / "luna"), *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE * 2,
            check=False,
        )

    def up(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.luna("up", "--native", "--detach", "--port", str(self.port), *words)

    def start_in_foreground(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 — our own command
            [str(ROOT / "luna"), "up", "--native", "--port", str(self.port)],
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )

    def state(self) -> dict[str, Any]:
        return read_json(self.home / "state.json")

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.luna("status", "--json").stdout)
        return answer

    def part(self, name: str) -> dict[str, Any]:
        rows = self.state().get("services", [])
        return next((row for row in rows if row["name"] == name), {})

    def processes(self) -> set[int]:
        """Everything alive that works in this home or was told of it."""
        found = set()
        for seen in everything():
            place = working_directory(seen.pid)
            if (place and place.is_relative_to(self.home)) or self._knows_home(seen.pid):
                found.add(seen.pid)
        return found - {os.getpid()}

    def _knows_home(self, pid: int) -> bool:
        try:
            return os.fsencode(self.home) in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False

    def everything_ended(self) -> None:
        eventually(lambda: not self.processes(), "no process of this home is left")

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def luna() -> Iterator[SmallLuna]:
    """A home that does not run yet; whatever runs at the end is stopped."""
    with tempfile.TemporaryDirectory(prefix="luna-o-") as folder:
        small = SmallLuna(Path(folder) / "home")
        yield small
        small.luna("down")
        small.everything_ended()


@pytest.fixture(scope="module")
def running() -> Iterator[SmallLuna]:
    """A small LUNA that runs, shared by the tests of a module."""
    with tempfile.TemporaryDirectory(prefix="luna-o-") as folder:
        small = SmallLuna(Path(folder) / "home")
        started = small.up()
        assert started.returncode == 0, started.stdout + started.stderr
        yield small
        small.luna("down")
        small.everything_ended()
