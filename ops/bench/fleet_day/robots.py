"""The robots of a day: one process of simulators with a script of faults."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ops.bench.system import System
from ops.home import ROOT
from ops.processes import spawn
from ops.servers import environment

SPEED = 60.0
RANGE_M = 4_000.0  # as a real robot's
BATTERIES = (1.0, 0.8, 0.6, 0.5)  # at the start, so that some charge soon
REPORTED = ("ACCEPTED", "STARTED", "ARRIVED", "SUCCEEDED", "LEASED")
SCRIPT: list[dict[str, Any]] = [
    {"fault": "NETWORK_LOSS", "probability": 0.004, "seconds": 4},
    {"fault": "NETWORK_LOSS", "probability": 0.001, "seconds": 9},
    {"fault": "LATE", "probability": 0.02, "seconds": 0.3},
    {"fault": "TWICE", "probability": 0.05},
    {"fault": "REORDERED", "probability": 0.05},
    {"fault": "OLD_EPOCH", "probability": 0.02},
    {"fault": "CLOCK_JUMP", "probability": 0.01, "value": -7200},
    {"fault": "BLOCKED_PATH", "probability": 0.02, "seconds": 1},
    {"fault": "WRONG_BATTERY", "probability": 0.02, "value": 0.0, "seconds": 3},
    {"fault": "FLAT_BATTERY", "probability": 0.01, "seconds": 4},
    {"fault": "ARRIVES_ELSEWHERE", "probability": 0.02, "value": 6},
    {"fault": "WRONG_PLACE", "probability": 0.01, "value": 25, "seconds": 2},
    {"fault": "UNCONFIRMED_STOP", "probability": 0.2, "seconds": 4},
    *({"fault": "CRASH", "probability": 0.006, "step": step, "seconds": 1} for step in REPORTED),
]


@dataclass(frozen=True)
class Robots:
    control: httpx.Client

    def injected(self) -> Counter[str]:
        """Return how often each fault was injected."""
        total: Counter[str] = Counter()
        for robot in self._read("/robots"):
            total.update(robot["injected"])
        return total

    def injected_into(self, name: str) -> Counter[str]:
        """Return how often each fault was injected into one robot."""
        return Counter(self._read(f"/robots/{name}/faults")[0]["injected"])

    def _read(self, path: str) -> Any:
        return self.control.get(path).raise_for_status().json()


@contextmanager
def running(system: System, count: int, seed: int) -> Iterator[Robots]:
    """Register the robots and drive them until the end."""
    folder = system.home.path / "bench-robots"
    words = ["-m", "ops.demo.seed", "--robots", str(count), "--state-dir", str(folder)]
    subprocess.run(  # noqa: S603  our own program
        [sys.executable, *words],
        env={**environment.base(), **system.environment},
        cwd=ROOT,
        check=True,
    )
    for number, start in enumerate(sorted(folder.glob("*.json"))):
        _charge(start, BATTERIES[number % len(BATTERIES)])
    script = folder / "faults.json"
    script.write_text(json.dumps(SCRIPT), encoding="utf-8")
    words = ["-m", "bridge", "simulate", "--url", system.address, "--directory", str(folder)]
    words += ["--speed", str(SPEED), "--range-m", str(RANGE_M), "--seed", str(seed)]
    words += ["--faults", str(script), "--control", "0"]
    log = folder / "robots.log"
    fleet = spawn([sys.executable, *words], environment=environment.base(), directory=ROOT, log=log)
    try:
        with httpx.Client(base_url=_control(fleet, log), timeout=10) as control:
            yield Robots(control)
    finally:
        fleet.terminate()
        fleet.wait()


def _charge(start: Path, battery: float) -> None:
    """Write the state with which a robot starts: at its first place, with this battery."""
    state = start.with_suffix("") / "robot.json"
    state.parent.mkdir(exist_ok=True)
    place = json.loads(start.read_text(encoding="utf-8"))
    place |= {"theta": 0.0, "battery": battery, "docked": False}
    state.write_text(json.dumps(place), encoding="utf-8")


def _control(fleet: "subprocess.Popen[bytes]", log: Path) -> str:
    """Wait until the process says where its control is."""
    while fleet.poll() is None:
        for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
            entry = json.loads(line)
            if entry["event"] == "control.serving":
                return str(entry["url"])
    raise RuntimeError(log.read_text(encoding="utf-8")[-2000:])
