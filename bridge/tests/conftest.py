"""A bridge with a simulator against the fake LUNA, quick enough for tests."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.drivers.simulator import Place, Simulator
from bridge.logs import Log
from bridge.protocol import session
from bridge.protocol.client import Key
from bridge.tests.fake_server import KEY, FakeLuna, serving
from bridge.timeouts import Timeouts

QUICK = Timeouts(
    heartbeat_moving=0.05,
    heartbeat_idle=0.2,
    heartbeat_timeout=0.2,
    progress=0.05,
    silence=0.3,
    poll_wait=2,
    poll_slack=1.0,
    stop_doubt=0.2,
    key_retry=0.1,
    retry_first=0.01,
    retry_most=0.1,
)


SPEED = 150.0  # 46 metres a second


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def luna(anyio_backend: str) -> AsyncIterator[FakeLuna]:
    async with serving() as fake:
        yield fake


async def until(true: Callable[[], bool]) -> None:
    """Wait for what wakes nobody: a line in the log, a simulator that has come to rest."""
    async with asyncio.timeout(8):
        while not true():  # noqa: ASYNC110  neither of them has an event to wait for
            await asyncio.sleep(0.01)


class Robot:
    """One bridge under test: start it, and look at its simulator and its log."""

    def __init__(self, luna: FakeLuna, directory: Path) -> None:
        self.luna = luna
        self.directory = directory
        self.key_file = directory / "key"
        self.key_file.write_text(KEY + "\n")
        self.output = io.StringIO()
        self.task: asyncio.Task[int] | None = None
        self.simulator = self.make_simulator()
        self.timing = QUICK

    def make_simulator(self, speed: float = SPEED) -> Simulator:
        start = Place(0.0, 0.0, 0.0, 1, "A")
        self.simulator = Simulator(start, speed, self.directory / "robot.json")
        return self.simulator

    async def start(self, **timing: float) -> None:
        self.task = asyncio.create_task(
            session.run(
                self.luna.url,
                Key(self.key_file),
                self.simulator,
                self.directory / "journal.jsonl",
                Log(out=self.output),
                timing=replace(self.timing, **timing),  # type: ignore[arg-type]  # all are numbers
            )
        )
        beats = len(self.luna.heartbeats)
        await self.luna.until(lambda: len(self.luna.heartbeats) > beats)

    async def end(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task

    async def until_moving(self) -> None:
        await self.luna.until(lambda: self.luna.heartbeats[-1]["speed"] > 0)

    async def until_log(self, event: str, times: int = 1) -> None:
        """The log says what LUNA cannot know: what reached the bridge, and what it does alone."""
        await until(lambda: self.output.getvalue().count(f'"event": "{event}"') >= times)

    async def until_standing(self) -> None:
        await until(self.stands)

    def stands(self) -> bool:
        return self.simulator.state().speed == 0


@pytest.fixture
async def robot(luna: FakeLuna, tmp_path: Path) -> AsyncIterator[Robot]:
    one = Robot(luna, tmp_path)
    yield one
    await one.end()
