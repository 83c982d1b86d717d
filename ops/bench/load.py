"""Load on an address by wrk, and rounds that alternate between addresses."""

import asyncio
import os
import re
import shutil
import statistics
import subprocess
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from ops.servers.prerequisites import MissingProgramsError, Prerequisite, install

CONNECTIONS = 16
_Result = TypeVar("_Result")
_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_HOW = "luna bench needs wrk. On Debian or Ubuntu: apt-get install wrk"


@dataclass(frozen=True)
class Target:
    """A request that is repeated; `script` is a Lua file for wrk that changes it."""

    name: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    script: Path | None = None


@dataclass(frozen=True)
class Load:
    """What one round measured."""

    rate: float  # requests per second
    p50: float  # ms
    p99: float
    failed: int  # responses other than 2xx and 3xx, and socket errors


def _find() -> Path | None:
    found = shutil.which("wrk")
    return Path(found) if found else None


def wrk() -> Path:
    """Return the path of wrk, installed by apt where that is allowed."""
    found = _find()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install([Prerequisite("wrk", _find, ("wrk",))])
        found = _find()
    if found is None:
        raise MissingProgramsError(_HOW)
    return found


def measure(target: Target, seconds: float, connections: int = CONNECTIONS) -> Load:
    """Repeat a request for some seconds over kept connections, each one request at a time."""
    words = ["-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency", "--timeout=5s"]
    for name, value in target.headers.items():
        words += ["-H", f"{name}: {value}"]
    if target.script is not None:
        words += ["-s", str(target.script)]
    done = subprocess.run(  # noqa: S603 — a program found on PATH, no shell
        [str(wrk()), *words, target.url], capture_output=True, text=True, check=True
    )
    return parsed(done.stdout)


def parsed(output: str) -> Load:
    """Read the report of wrk."""
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    other = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    sockets = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output
    )
    failed = [*(other.groups() if other else ()), *(sockets.groups() if sockets else ())]
    return Load(
        rate=float(rate.group(1)) if rate else 0.0,
        p50=_percentile(output, 50),
        p99=_percentile(output, 99),
        failed=sum(map(int, failed)),
    )


def _percentile(output: str, number: int) -> float:
    found = re.search(rf"^\s+{number}%\s+([\d.]+)(us|ms|s|m)$", output, re.MULTILINE)
    return float(found.group(1)) * _MS[found.group(2)] if found else float("inf")


def run_client(client: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a client written here on uvloop: what it uses, LUNA beside it lacks."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(client)


def alternating(targets: Sequence[Target], *, rounds: int, seconds: float) -> dict[str, list[Load]]:
    """Measure every target once in each round, so that a slow minute slows all of them."""
    found: dict[str, list[Load]] = {target.name: [] for target in targets}
    for target in targets:
        measure(target, 1)  # fills caches and pools
    for _ in range(rounds):
        for target in targets:
            found[target.name].append(measure(target, seconds))
    return found


def median(loads: Sequence[Load]) -> Load:
    """Return the median of each figure, and all failures."""
    return Load(
        rate=statistics.median(load.rate for load in loads),
        p50=statistics.median(load.p50 for load in loads),
        p99=statistics.median(load.p99 for load in loads),
        failed=sum(load.failed for load in loads),
    )
