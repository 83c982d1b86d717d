"""Simulated robots in one process, each with its own bridge, key and state."""

import asyncio
import fcntl
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from bridge.drivers.simulator import RANGE_M, Place, Simulator
from bridge.logs import Log
from bridge.protocol import session
from bridge.protocol.client import Key, make_http
from bridge.simulation.faults import Fault, RobotFaults
from bridge.simulation.faulty_robot import FaultyRobot
from bridge.simulation.transport import FaultyNetwork, SimulatedCrashError

START_INTERVAL_S = 0.01  # between two robots, so that their sessions do not open all at once


class StateInUseError(Exception):
    """Another process drives the robots of this directory."""


@dataclass(frozen=True, slots=True)
class FleetOptions:
    url: str
    directory: Path  # holds NAME.key and NAME.json, the start {waypoint, x, y, floor}, of each
    speed: float = 1.0
    range_m: float = RANGE_M
    seed: int = 0
    count: int | None = None  # None: all robots of the directory
    skip: int = 0  # robots at the start of the list that other processes drive


class SimulatedRobot:
    """One robot: its bridge starts again after each simulated crash."""

    def __init__(self, options: FleetOptions, key_file: Path, log: Log) -> None:
        self.name = key_file.stem
        self.faults = RobotFaults(self.name, options.seed)
        self.crashes = 0
        self._options = options
        self._key = Key(key_file)
        self._state = options.directory / self.name
        self._start = _read_start(key_file.with_suffix(".json"))
        self._log = log.bind(name=self.name)
        self.driver = self._new_driver()

    async def run(self) -> None:
        """Serve until cancelled, or until a newer session of the robot takes over."""
        while True:
            pause = None
            try:
                await self._serve()
            except* SimulatedCrashError as crashes:
                first = next(_leaves(crashes))
                pause = first.seconds
                self._log.warning("fault.crash", reason=str(first))
            if pause is None:
                return
            self.crashes += 1
            await asyncio.sleep(pause)

    async def _serve(self) -> int:
        options, network = self._options, FaultyNetwork(self.faults, self._log)
        self.driver = self._new_driver()

        def connect() -> httpx.AsyncClient:
            return network.wrap(make_http(options.url))

        return await session.run(
            connect,
            self._key,
            self.driver,
            self._state / "journal.jsonl",
            self._log,
        )

    def _new_driver(self) -> FaultyRobot:
        options, file = self._options, self._state / "robot.json"
        simulator = Simulator(self._start, options.speed, file, options.range_m)
        return FaultyRobot(simulator, self.faults)


def robots_of(options: FleetOptions, log: Log) -> list[SimulatedRobot]:
    keys = sorted(options.directory.glob("*.key"), key=_by_number)
    end = None if options.count is None else options.skip + options.count
    return [SimulatedRobot(options, key, log) for key in keys[options.skip : end]]


async def run(
    robots: Sequence[SimulatedRobot], directory: Path, script: Sequence[Fault] = ()
) -> None:
    """Drive the robots until cancelled."""
    with (directory / "fleet.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateInUseError(f"Another process drives the robots of {directory}.") from error
        async with asyncio.TaskGroup() as tasks:
            for robot in robots:
                robot.faults.replace(script)
                tasks.create_task(robot.run())
                await asyncio.sleep(START_INTERVAL_S)


def _read_start(file: Path) -> Place:
    start = json.loads(file.read_text(encoding="utf-8"))
    return Place(start["x"], start["y"], 0.0, start["floor"], start["waypoint"])


def _by_number(key: Path) -> tuple[str, int, str]:
    """Sort luna-bot-2 before luna-bot-10."""
    head, _, number = key.stem.rpartition("-")
    return (head, int(number), "") if number.isdecimal() else (key.stem, 0, "")


def _leaves(group: BaseExceptionGroup[SimulatedCrashError]) -> Iterator[SimulatedCrashError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
