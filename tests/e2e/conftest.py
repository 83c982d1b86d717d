"""Fixture of the whole system: `./luna up` in a temporary home, with simulated robots."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.api_client import ApiClient
from ops.home import read_json
from tests.ports import free_port
from tests.secrets_in_logs import check_home

ROOT = Path(__file__).resolve().parents[2]
_START_TIMEOUT = 240  # seconds, on a busy machine, with an empty home


class System:
    """A running LUNA."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._accounts: list[ApiClient] = []
        plain = {name: value for name, value in os.environ.items() if not name.startswith("LUNA_")}
        self.environment = {**plain, "LUNA_HOME": str(home)}

    def luna(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a `luna` command against this system."""
        return subprocess.run(  # noqa: S603 (the luna command)
            [sys.executable, "-m", "ops", *words],
            cwd=ROOT,
            env=self.environment,
            text=True,
            capture_output=True,
            timeout=timeout,
            check=False,
        )

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.luna("status", "--json").stdout)
        return status

    def state(self) -> dict[str, Any]:
        """Return what the supervisor has written, without the half second of `luna status`."""
        return read_json(self.home / "state.json")

    def component(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(s for s in self.state()["services"] if s["name"] == name)
        return found

    def pid(self, component: str) -> int:
        return int(self.component(component)["pid"])

    def account(self, role: str) -> ApiClient:
        now = self.status()
        found = next(a for a in now["accounts"] if a["role"] == role)
        account = ApiClient(now["address"], found["email"], found["password"])
        self._accounts.append(account)
        return account

    def close(self) -> None:
        for account in self._accounts:
            account.close()


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """Start LUNA with the demo library and two robots; stop it afterwards."""
    with tempfile.TemporaryDirectory(prefix="luna-e2e-") as folder:
        running = System(Path(folder))
        started = running.luna(
            *("up", "--detach", "--native", "--no-web", "--port", str(free_port())),
            *("--speed", "40"),
            timeout=_START_TIMEOUT,
        )
        try:
            assert started.returncode == 0, started.stdout + started.stderr
            yield running
        finally:
            running.close()
            running.luna("down")
        check_home(running.home)
