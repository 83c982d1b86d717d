"""Simulated bridges: lean clients with kept connections, all in this process.

Each sends a heartbeat a second and keeps both long polls open, as the bridge program does, and
confirms each stop.
"""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ops.bench.system import System

_TIMEOUT = 40.0  # seconds; longer than a long poll
_RETRY_AFTER = 0.2
_AT_ONCE = 8  # registrations


class Connection:
    """One kept connection to the gateway, opened again when it was closed."""

    def __init__(self, address: str, token: str | None) -> None:
        self._host = urlsplit(address).hostname or "127.0.0.1"
        self._port = urlsplit(address).port or 80
        credentials = f"Authorization: Bearer {token}\r\n" if token else ""
        self._fixed = f"Host: {self._host}\r\n{credentials}"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return status and data; status 0 when there was no response."""
        try:
            async with asyncio.timeout(_TIMEOUT):  # wait_for may swallow a cancellation
                return await self._call(method, path, body)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            self.close()
            return 0, None

    async def _call(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if self._streams is not None and self._streams[0].at_eof():  # it was idle for too long
            self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} /api/v1{path} HTTP/1.1\r\n{self._fixed}"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        writer.write(head.encode() + content)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        received = await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            self.close()
        return int(lines[0].split()[1]), json.loads(received).get("data")

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@dataclass
class SimulatedBridge:
    """One robot's bridge and what it measured."""

    id: str
    address: str
    key: str
    x: float = 0.0
    y: float = 0.0
    epoch: int = 0
    seq: int = 0
    version: int = 0
    beats: list[float] = field(default_factory=list)  # ms
    errors: list[str] = field(default_factory=list)
    stopped_at: float = 0.0  # when the last order to stop arrived, by time.monotonic()
    commands: "asyncio.Queue[tuple[float, Any]]" = field(default_factory=asyncio.Queue)
    _unconfirmed: asyncio.Event = field(default_factory=asyncio.Event)

    def connection(self) -> Connection:
        return Connection(self.address, self.key)

    async def _checked(self, connection: Connection, *words: Any) -> Any:
        status, data = await connection.call(*words)
        if status != 200:  # noqa: PLR2004 (the status of success)
            self.errors.append(f"{words[1].partition('?')[0]}: {status}")
            await asyncio.sleep(_RETRY_AFTER)
        return data

    async def open(self) -> None:
        opened = await self._checked(
            self.connection(), "POST", "/robot/bridge/session", {"boot_id": str(uuid.uuid4())}
        )
        self.epoch = opened["epoch"]

    async def run(self, delay: float) -> None:
        """Run until cancelled; `delay` staggers the heartbeats of a fleet."""
        await asyncio.gather(
            self._beat(delay), self._poll_stop(), self._confirm(), self._poll_commands()
        )

    async def _beat(self, delay: float) -> None:
        connection = self.connection()
        due = time.monotonic() + delay
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += 1.0
            self.seq += 1
            body = {
                "epoch": self.epoch,
                "seq": self.seq,
                "pose": {"x": self.x, "y": self.y, "theta": 0.0, "floor": 1},
                "battery": 0.9,
                "stop_version": self.version,
                "sensors": {},
            }
            began = time.monotonic()
            await self._checked(connection, "POST", "/robot/bridge/heartbeat", body)
            self.beats.append((time.monotonic() - began) * 1000)

    async def _poll_stop(self) -> None:
        connection = self.connection()
        while True:
            path = f"/robot/bridge/stop?after={self.version}&wait=25"
            order = await self._checked(connection, "GET", path)
            if order is None:
                continue
            self.version = order["stop_version"]
            if order["stopped"]:
                self.stopped_at = time.monotonic()
                self._unconfirmed.set()

    async def _confirm(self) -> None:
        """Confirm stops apart from the poll, which is always open."""
        connection = self.connection()
        while True:
            await self._unconfirmed.wait()
            self._unconfirmed.clear()
            version = self.version
            for kind in ("RECEIVED", "MOTION_STOPPED"):
                body = {"stop_version": version, "type": kind}
                await self._checked(connection, "POST", "/robot/bridge/stop/events", body)

    async def _poll_commands(self) -> None:
        connection = self.connection()
        while True:
            path = f"/robot/bridge/commands/next?epoch={self.epoch}&wait=25"
            command = await self._checked(connection, "GET", path)
            if command is not None:
                self.commands.put_nowait((time.monotonic(), command))


async def register(system: System, count: int) -> list[SimulatedBridge]:
    """Register robots, each with a key, and open their sessions."""
    token = system.sign_in("ADMIN")["Authorization"].removeprefix("Bearer ")
    started = time.time_ns()

    async def some(numbers: range) -> list[SimulatedBridge]:
        admin = Connection(system.address, token)
        return [await _register(system, admin, f"bench-{started}-{each}") for each in numbers]

    made = await asyncio.gather(*(some(range(part, count, _AT_ONCE)) for part in range(_AT_ONCE)))
    return [bridge for part in made for bridge in part]


async def _register(system: System, admin: Connection, name: str) -> SimulatedBridge:
    _, robot = await admin.call("POST", "/robot/robots", {"robot_name": name})
    _, key = await admin.call("POST", f"/robot/robots/{robot['id']}/key", {})
    bridge = SimulatedBridge(robot["id"], system.address, key["key"])
    await bridge.open()
    return bridge


@contextlib.asynccontextmanager
async def running(fleet: list[SimulatedBridge]) -> AsyncIterator[None]:
    """Run the bridges, and yield when all have been served for some seconds."""
    tasks = [
        asyncio.create_task(bridge.run(number / len(fleet))) for number, bridge in enumerate(fleet)
    ]
    try:
        await asyncio.sleep(5)
        for bridge in fleet:
            bridge.beats.clear()
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def percentile(values: list[float], share: float) -> float:
    """Return the value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")
