"""Fixtures of a small LUNA in a temporary home, started by the `luna` command."""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ops.home import ROOT, Home, read_json, write_atomically
from ops.processes import all_processes, working_directory
from ops.servers import run_as, temporary_servers
from tests.ports import free_port

TIMEOUT = 90.0  # seconds; only a failing test waits for all of them
_delay = threading.Event()  # never set


def eventually(condition: Callable[[], Any], what: str) -> Any:
    """Wait for a true value of `condition` and return it; fail with `what` after TIMEOUT."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        if value := condition():
            return value
        _delay.wait(0.02)
    raise AssertionError(f"not within {TIMEOUT:.0f} s: {what}")


@dataclass
class SmallLuna:
    """A home and the commands on it."""

    home: Path
    port: int = field(default_factory=free_port)
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        own = {"LUNA_HOME": str(self.home), "LUNA_SUPERVISE_MODULE": "tests.ops.fake_services"}
        return dict(os.environ) | own | self.more

    @property
    def _up(self) -> tuple[str, ...]:
        """Without the pages, which a fresh clone would build first."""
        return ("up", "--native", "--no-web", "--port", str(self.port))

    def luna(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 — the luna command
            [str(ROOT / "luna"), *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT * 2,
            check=False,
        )

    def copy_cluster(self) -> None:
        """Copy a cluster, in a tenth of the time of making one as the first `up` does elsewhere."""
        home = Home(self.home)
        home.make(run_as.unprivileged()[1])
        write_atomically(home.keys / "postgres.secret", temporary_servers.SUPERUSER_PASSWORD)
        made = Path(os.environ["LUNA_TEST_CLUSTER"])
        temporary_servers.copy_cluster(made, home.postgres.resolve() / "data")

    def up(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.luna(*self._up, "--detach", *words)

    def start_in_foreground(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 — the luna command
            [str(ROOT / "luna"), *self._up],
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )

    def state(self) -> dict[str, Any]:
        return read_json(self.home / "state.json")

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.luna("status", "--json").stdout)
        return answer

    def component(self, name: str) -> dict[str, Any]:
        rows = self.state().get("services", [])
        return next((row for row in rows if row["name"] == name), {})

    def processes(self) -> set[int]:
        """Return the processes that work in this home or have its path in their command line."""
        found = set()
        for process in all_processes():
            directory = working_directory(process.pid)
            if (directory and directory.is_relative_to(self.home)) or self._names_home(process.pid):
                found.add(process.pid)
        return found - {os.getpid()}

    def _names_home(self, pid: int) -> bool:
        try:
            return os.fsencode(self.home) in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False

    def wait_until_stopped(self) -> None:
        eventually(lambda: not self.processes(), "no process of this home is left")

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def luna() -> Iterator[SmallLuna]:
    """Yield a home that is not running; stop it afterwards."""
    with tempfile.TemporaryDirectory(prefix="luna-o-") as folder:
        small = SmallLuna(Path(folder) / "home")
        small.copy_cluster()
        yield small
        small.luna("down")
        small.wait_until_stopped()


@pytest.fixture(scope="module")
def running() -> Iterator[SmallLuna]:
    """Yield a running small LUNA, shared by the tests of a module."""
    with tempfile.TemporaryDirectory(prefix="luna-o-") as folder:
        small = SmallLuna(Path(folder) / "home")
        started = small.up()
        assert started.returncode == 0, started.stdout + started.stderr
        yield small
        small.luna("down")
        small.wait_until_stopped()
