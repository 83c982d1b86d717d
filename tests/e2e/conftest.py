"""The whole system as a new user starts it: `./luna up` in a home of its own, simulated robots."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.demo.demo_client import Person

ROOT = Path(__file__).resolve().parents[2]
_PORT = 18600
_START_WITHIN = 240  # seconds, on a busy machine, with nothing prepared


class System:
    """A running LUNA."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._people: list[Person] = []
        plain = {name: value for name, value in os.environ.items() if not name.startswith("LUNA_")}
        self.environment = {**plain, "LUNA_HOME": str(home)}

    def luna(self, *words: str, within: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a `luna` command against this system."""
        return subprocess.run(  # noqa: S603 (our own command)
            [sys.executable, "-m", "ops", *words],
            cwd=ROOT,
            env=self.environment,
            text=True,
            capture_output=True,
            timeout=within,
            check=False,
        )

    def status(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.luna("status", "--json").stdout)
        return told

    def pid(self, part: str) -> int:
        return int(next(s["pid"] for s in self.status()["services"] if s["name"] == part))

    def person(self, role: str) -> Person:
        now = self.status()
        account = next(a for a in now["accounts"] if a["role"] == role)
        someone = Person(now["address"], account["email"], account["password"])
        self._people.append(someone)
        return someone

    def close(self) -> None:
        for someone in self._people:
            someone.close()


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """LUNA with the demo library and two robots; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="luna-e2e-") as folder:
        running = System(Path(folder))
        started = running.luna(
            *("up", "--detach", "--native", "--port", str(_PORT), "--speed", "40"),
            within=_START_WITHIN,
        )
        try:
            assert started.returncode == 0, started.stdout + started.stderr
            yield running
        finally:
            running.close()
            running.luna("down")
