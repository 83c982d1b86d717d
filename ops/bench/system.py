"""The LUNA that benchmarks measure: its own home and ports, the demo library, no rate limits."""

import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from ops.home import ROOT, Home
from ops.native import status
from ops.processes import all_processes
from ops.servers import environment

_SETTINGS = {"LUNA_GATEWAY_LIMITS": "off", "LUNA_USER_WRITES_PER_SECOND": "0"}
_PORT = 18400
TLS = ("--tls",)  # for native gRPC


@dataclass(frozen=True)
class Memory:
    """The proportional set size of processes in MB: what is theirs, and shared memory."""

    own: float
    shared: float

    @property
    def total(self) -> float:
        return self.own + self.shared


@dataclass(frozen=True)
class System:
    """A running LUNA."""

    home: Home
    folder: Path  # for temporary files of a benchmark; its path is short

    @cached_property
    def address(self) -> str:
        """The address of the gateway."""
        return str(self.status()["address"])

    @cached_property
    def tls_address(self) -> str:
        """The address of the gateway with TLS and HTTP/2."""
        return str(status.running_state(self.home)["tls_address"])

    def status(self) -> dict[str, Any]:
        """Return the state in the shape of `luna status --json`, with pids and endpoints."""
        return status.current(self.home)

    def pids(self) -> list[int]:
        """Return the processes of the system: the supervisor and all its descendants."""
        processes = all_processes()
        found = {int(status.running_state(self.home)["pid"])}
        while more := {each.pid for each in processes if each.parent in found} - found:
            found |= more
        return sorted(found)

    def memory(self, pids: Iterable[int] | None = None) -> Memory:
        """Return the memory of the system, or of some processes.

        One that ends meanwhile does not count.
        """
        sizes: Counter[str] = Counter()
        for pid in self.pids() if pids is None else pids:
            with suppress(OSError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
                for name, _, size in (line.partition(":") for line in lines[1:]):
                    sizes[name] += int(size.split()[0])
        shared = sizes["Pss_Shmem"] / 1024
        return Memory(sizes["Pss"] / 1024 - shared, shared)

    @property
    def environment(self) -> Mapping[str, str]:
        """Environment of a LUNA program with the owner's role."""
        return environment.for_owner(self.home, self.address)

    def account(self, role: str) -> dict[str, str]:
        """Return email and password of a demo account of this role."""
        return next(row for row in status.demo_accounts() if row["role"] == role)

    def sign_in(self, role: str) -> dict[str, str]:
        """Sign in and return the Authorization header."""
        row = self.account(role)
        body = {"email": row["email"], "password": row["password"]}
        response = httpx.post(f"{self.address}/api/v1/auth/login", json=body, timeout=15)
        return {
            "Authorization": f"Bearer {response.raise_for_status().json()['data']['access_token']}"
        }


def _luna(home: Path, settings: dict[str, str], *words: str) -> None:
    own = environment.base() | _SETTINGS | settings | {"LUNA_HOME": str(home)}
    subprocess.run([str(ROOT / "luna"), *words], env=own, check=True)  # noqa: S603 — our command


@contextmanager
def running(settings: dict[str, str]) -> Iterator[System]:
    """Start a LUNA natively with the demo library and without robots; stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="luna-b-") as base:
        folder = Path(base)
        home = folder / "home"
        try:
            words = (
                "--native",
                "--detach",
                "--port",
                str(_PORT),
                "--robots",
                "0",
                "--no-web",
                *TLS,
            )
            _luna(home, settings, "up", *words)
            yield System(Home(home), folder)
        finally:
            _luna(home, settings, "down")
