"""Heartbeats of 200 robots at 1 Hz with two long polls each: latency, CPU of LUNA, departures.

The client is one asyncio process on the same machine; its latencies include its own waiting.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ops.bench import Result, bridges, departures
from ops.bench.system import System

_ROBOTS = 200
_TICKS = os.sysconf("SC_CLK_TCK")


def _cpu_seconds(system: System) -> dict[str, float]:
    """CPU time of each component of LUNA with its descendants."""
    parents: dict[int, int] = {}
    times: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
            times[int(entry.name)] = sum(map(int, fields[11:15])) / _TICKS
    own = {row["pid"]: row["name"] for row in system.status()["services"] if row["pid"]}
    spent: dict[str, float] = defaultdict(float)
    for pid, seconds in times.items():
        name = _component_of(pid, own, parents)
        if name is not None:
            spent[name] += seconds
    return spent


def _component_of(pid: int, own: dict[int, str], parents: dict[int, int]) -> str | None:
    while pid > 1:
        if pid in own:
            return own[pid]
        pid = parents.get(pid, 0)
    return None


@dataclass(frozen=True)
class _Measured:
    beats: list[float]  # ms
    cpu_seconds: dict[str, float]
    departures: list[float]  # ms
    errors: list[str]


async def _measure(system: System, seconds: float, departing: int) -> _Measured:
    fleet = await bridges.register(system, _ROBOTS)
    async with bridges.running(fleet):
        before = _cpu_seconds(system)
        await asyncio.sleep(seconds)
        spent = {name: each - before[name] for name, each in _cpu_seconds(system).items()}
        beats = [beat for bridge in fleet for beat in bridge.beats]
        going = await departures.measure(system, fleet, departing)
    return _Measured(beats, spent, going, [each for bridge in fleet for each in bridge.errors])


def run(system: System, *, short: bool) -> Iterator[Result]:
    """Measure for 10 or 40 seconds, then 20 or 60 departures."""
    seconds, departing = (10, 20) if short else (40, 60)
    found = asyncio.run(_measure(system, seconds, departing))
    beats, spent, errors = found.beats, found.cpu_seconds, found.errors
    about = {"heartbeats": float(len(beats)), "p50 ms": bridges.percentile(beats, 0.5)}
    p99 = bridges.percentile(beats, 0.99)
    yield Result("heartbeat, p99", p99, "ms", at_most=50, details=about)
    parts = {f"{name} ms": each * 1000 / len(beats) for name, each in spent.items()}
    yield Result(
        "CPU of LUNA for each heartbeat", sum(parts.values()), "ms", at_most=1.6, details=parts
    )
    go = [bridges.percentile(found.departures, share) for share in (0.5, 0.95)]
    yield Result("loading confirmed → bridge holds the go, p50", go[0], "ms", at_most=10)
    yield Result("loading confirmed → bridge holds the go, p95", go[1], "ms", at_most=30)
    yield Result("failed calls", len(errors), "", at_most=0, comparison=", ".join(set(errors)))
