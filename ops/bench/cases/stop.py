"""Emergency stop with 200 robots connected: request sent until the bridge has the order.

Of one robot; of all; of all while another transaction holds one robot's row; while 500 connections
of strangers use the same paths; and while Redis is killed. The bridges and the librarian are one
asyncio process on the same machine, whose own work is part of the figures. The strangers are
another: half have no credentials, half a made-up key; each keeps its connection, and a second
after it was refused it sends again (`ops.bench.strangers`).
"""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg

from ops.bench import Result, bridges, strangers
from ops.bench.bridges import Connection, SimulatedBridge
from ops.bench.system import System

SETTINGS = {"LUNA_GATEWAY_LIMITS": "on", "LUNA_GATEWAY_RATE": "1000r/s"}  # 400 registrations
_ROBOTS = 200
_TOLD_WITHIN = 10.0  # seconds


class _Stops:
    """Stops and resumes as a librarian, and measures when each bridge was told."""

    def __init__(self, system: System, fleet: list[SimulatedBridge]) -> None:
        token = system.sign_in("LIBRARIAN")["Authorization"].removeprefix("Bearer ")
        self._staff = Connection(system.address, token)
        self._fleet = fleet
        self.answered: list[float] = []  # ms

    async def measure(self, robot: SimulatedBridge | None = None) -> list[float]:
        """Stop the robot or all, resume, and return each bridge's ms."""
        stopped = [robot] if robot else self._fleet
        path = f"/{robot.id}" if robot else ""
        began = time.monotonic()
        status, _ = await self._staff.call("POST", f"/robot/emergency-stop{path}", {})
        self.answered.append((time.monotonic() - began) * 1000)
        assert status == 200, status  # noqa: PLR2004 (the status of success)
        while time.monotonic() - began < _TOLD_WITHIN:
            if all(bridge.stopped_at > began for bridge in stopped):
                break
            await asyncio.sleep(0.01)
        told = [(bridge.stopped_at - began) * 1000 for bridge in stopped]
        await asyncio.sleep(0.5)
        status, _ = await self._staff.call("POST", f"/robot/resume{path}", {"reason": "measured"})
        assert status == 200, status  # noqa: PLR2004 (the status of success)
        await asyncio.sleep(1)
        return [each if each > 0 else _TOLD_WITHIN * 1000 for each in told]


async def _locked(system: System, robot: SimulatedBridge, stops: _Stops) -> list[float]:
    """Stop all while another transaction holds one robot's row, for about ten seconds."""
    url = system.environment["LUNA_DATABASE_OWNER_URL"].replace("+psycopg2", "")
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("SELECT 1 FROM robots WHERE id = %s FOR UPDATE", (robot.id,))
        await asyncio.sleep(3)
        stops.answered.clear()
        told = [each for _ in range(4) for each in await stops.measure()]
        await connection.rollback()
    return told


async def _among_strangers(system: System, stops: _Stops, found: dict[str, Any]) -> None:
    """Stop all while strangers send requests; add what was measured, and what they did."""
    with strangers.running(system.address) as crowd:
        await asyncio.sleep(3)
        stops.answered.clear()
        found["strangers"] = [each for _ in range(8) for each in await stops.measure()]
    found["answered"] = list(stops.answered)
    found["crowd"] = crowd.report


async def _without_redis(system: System, stops: _Stops) -> list[float]:
    row = next(row for row in system.status()["services"] if row["name"] == "redis")
    with suppress(ProcessLookupError):
        os.kill(row["pid"], signal.SIGKILL)
    return await stops.measure()


async def _measure(system: System, rounds: int) -> dict[str, Any]:
    fleet = await bridges.register(system, _ROBOTS)
    found: dict[str, Any] = {}
    async with bridges.running(fleet):
        stops = _Stops(system, fleet)
        await stops.measure()
        stops.answered.clear()
        found["one"] = [each for bot in fleet[: 2 * rounds] for each in await stops.measure(bot)]
        stops.answered.clear()
        found["all"] = [each for _ in range(rounds) for each in await stops.measure()]
        found["all answered"] = list(stops.answered)
        found["locked"] = await _locked(system, fleet[0], stops)
        found["locked answered"] = list(stops.answered)
        found["no redis"] = await _without_redis(system, stops)
        await asyncio.sleep(5)
        for bridge in fleet:
            bridge.beats.clear()
            bridge.errors.clear()
        await _among_strangers(system, stops, found)
        found["beats"] = [beat for bridge in fleet for beat in bridge.beats]
        found["errors"] = sum(len(bridge.errors) for bridge in fleet)
    return found


def run(system: System, *, short: bool) -> Iterator[Result]:
    """Measure 2 or 8 stops of all, and twice as many of one."""
    found = asyncio.run(_measure(system, 2 if short else 8))
    for name, share, bar in (
        ("one", 0.95, 50),
        ("one", 0.99, 150),
        ("all", 0.95, 150),
        ("all", 0.99, 300),
        ("all answered", 0.95, 100),
        ("locked", 1.0, 100),
        ("locked answered", 1.0, 100),
        ("strangers", 0.95, 150),
        ("answered", 0.95, 100),
        ("beats", 1.0, 1000),
        ("no redis", 0.95, 1500),
    ):
        value = bridges.percentile(found[name], share)
        crowd = found["crowd"] if name == "strangers" else {}
        label = f"{_NAMES[name]}, p{share:.0%}".rstrip("%")
        yield Result(label, value, "ms", at_most=bar, details=crowd)
    yield Result("errors of bridges, 500 strangers", found["errors"], "", at_most=0)


_NAMES = {
    "one": "one robot",
    "all": "all robots",
    "all answered": "stop of all answered",
    "locked": "all robots, one row locked",
    "locked answered": "stop answered, one row locked",
    "strangers": "all robots, 500 strangers",
    "answered": "stop answered, 500 strangers",
    "beats": "heartbeat, 500 strangers",
    "no redis": "all robots, Redis killed",
}
