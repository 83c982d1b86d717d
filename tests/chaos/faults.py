"""Faults by a seed: the same seed gives the same faults at the same times."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import redis

from ops.home import Home, read_json, secret
from ops.native.topology import COMPONENTS
from ops.servers import redis_server

PARTS = (*COMPONENTS, "robot-1", "robot-2", "robot-3", "robot-4")
KINDS = ("kill", "kill", "term", "stop", "flush")
INTERVAL = (1.0, 4.0)  # seconds between two faults
STOP_TIME = (1.0, 8.0)  # seconds; above 5 s the supervisor restarts the part


@dataclass(frozen=True)
class Fault:
    """A fault at a time, in seconds since the start of the run."""

    at: float
    kind: str
    part: str
    seconds: float  # of a stop

    def __str__(self) -> str:
        how_long = f" for {self.seconds:.1f} s" if self.kind == "stop" else ""
        return f"{self.at:6.1f} s  {self.kind} {self.part}{how_long}"


def plan(seed: int, seconds: float) -> Iterator[Fault]:
    """Yield the faults of a run."""
    chance = random.Random(seed)
    at = chance.uniform(*INTERVAL)
    while at < seconds:
        kind = chance.choice(KINDS)
        part = "redis" if kind == "flush" else chance.choice(PARTS)
        yield Fault(at, kind, part, chance.uniform(*STOP_TIME))
        at += chance.uniform(*INTERVAL)


class Nemesis:
    """Injects the faults of a plan into one system; `heal` ends all that still last."""

    def __init__(self, home: Path) -> None:
        self._home = Home(home)
        self._stopped: dict[int, float] = {}  # pid → when it continues
        self.injected: list[Fault] = []

    def run(self, faults: Iterator[Fault], report: Callable[[str], None]) -> None:
        """Inject each fault at its time."""
        began = time.monotonic()
        pause = threading.Event()  # never set
        for fault in faults:
            while (left := began + fault.at - time.monotonic()) > 0:
                self._continue_due()
                pause.wait(min(left, 0.2))
            if self._inject(fault):
                self.injected.append(fault)
                report(str(fault))
        self.heal()

    def heal(self) -> None:
        """Continue every process that is still stopped."""
        self._stopped = dict.fromkeys(self._stopped, 0.0)
        self._continue_due()

    def _continue_due(self) -> None:
        for pid, when in list(self._stopped.items()):
            if time.monotonic() >= when:
                del self._stopped[pid]
                with suppress(ProcessLookupError):  # the supervisor has killed it
                    os.kill(pid, signal.SIGCONT)

    def _inject(self, fault: Fault) -> bool:
        """Return False when the part is not running, so that nothing happened."""
        if fault.kind == "flush":
            return self._flush()
        pid = self._pid(fault.part)
        if pid is None:
            return False
        number = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "stop": signal.SIGSTOP}
        with suppress(ProcessLookupError):
            os.kill(pid, number[fault.kind])
            if fault.kind == "stop":
                self._stopped[pid] = time.monotonic() + fault.seconds
            return True
        return False

    def _flush(self) -> bool:
        url = redis_server.url(self._home.socket("redis"), secret(self._home, "redis"))
        with suppress(redis.RedisError), redis.Redis.from_url(url, socket_timeout=2) as client:
            return bool(client.flushall())
        return False

    def _pid(self, part: str) -> int | None:
        rows = read_json(self._home.state_file).get("services", [])
        return next((row["pid"] for row in rows if row["name"] == part), None)
