"""A bridge with a simulator against the fake server, with short timeouts."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bridge.drivers.simulator import Place, Simulator
from bridge.logs import Log
from bridge.protocol import session
from bridge.protocol.client import Key, make_http
from bridge.tests.fake_server import KEY, FakeServer, serving
from bridge.timeouts import Timeouts

QUICK = Timeouts(
    heartbeat_moving=0.05,
    heartbeat_idle=0.2,
    heartbeat_timeout=0.2,
    progress=0.05,
    max_silence=0.3,
    poll_wait=2,
    poll_margin=1.0,
    resume_wait=0.2,
    key_retry=0.1,
    retry_initial=0.01,
    retry_max=0.1,
)


SPEED = 150.0  # 46 metres a second


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def server(anyio_backend: str) -> AsyncIterator[FakeServer]:
    async with serving() as fake:
        yield fake


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition without an event: a log line, a simulator at standstill."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  neither has an event to wait for
            await asyncio.sleep(0.01)


class Robot:
    """A bridge under test with its simulator and its log."""

    def __init__(self, server: FakeServer, directory: Path) -> None:
        self.server = server
        self.directory = directory
        directory.mkdir(exist_ok=True)
        self.key_file = directory / "key"
        self.key_file.write_text(KEY + "\n")
        self.output = io.StringIO()
        self.task: asyncio.Task[int] | None = None
        self.simulator = self.make_simulator()
        self.timeouts = QUICK

    def make_simulator(self, speed: float = SPEED) -> Simulator:
        start = Place(0.0, 0.0, 0.0, 1, "A")
        self.simulator = Simulator(start, speed, self.directory / "robot.json")
        return self.simulator

    async def start(self, **timeouts: float) -> None:
        self.task = asyncio.create_task(
            session.run(
                partial(make_http, self.server.url),
                Key(self.key_file),
                self.simulator,
                self.directory / "journal.jsonl",
                Log(out=self.output),
                timeouts=replace(self.timeouts, **timeouts),  # type: ignore[arg-type]  # all are numbers
            )
        )
        beats = len(self.server.heartbeats)
        await self.server.until(lambda: len(self.server.heartbeats) > beats)

    async def end(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task

    async def until_moving(self) -> None:
        await self.server.until(lambda: self.server.heartbeats[-1]["speed"] > 0)

    async def until_log(self, event: str, times: int = 1) -> None:
        """Wait for a log event, for what the server can't observe."""
        await until(lambda: self.output.getvalue().count(f'"event": "{event}"') >= times)

    async def until_standing(self) -> None:
        await until(self.at_standstill)

    def at_standstill(self) -> bool:
        return self.simulator.state().speed == 0


@pytest.fixture
async def robot(server: FakeServer, tmp_path: Path) -> AsyncIterator[Robot]:
    one = Robot(server, tmp_path)
    yield one
    await one.end()
