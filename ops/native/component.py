"""What the supervisor needs to know of a part, and what it remembers while the part lives."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

FIRST_PAUSE = 0.1  # seconds before the first restart; doubled each time
LONGEST_PAUSE = 10.0
STEADY_AFTER = 30.0  # seconds of health after which the pauses begin anew


class State(StrEnum):
    """Where a part is in its life."""

    WAITING = "waiting"  # for what it needs
    STARTING = "starting"  # it runs but is not ready
    READY = "ready"
    RESTARTING = "restarting"  # it died and starts again after a pause
    DONE = "done"  # a job that ended well
    STOPPING = "stopping"
    STOPPED = "stopped"


def _nothing() -> None:
    return


def _no() -> bool:
    return False


@dataclass(frozen=True)
class Component:
    """One program of the system: a service that stays, or a job that ends."""

    name: str
    command: Callable[[], list[str]]
    nursery: str = ""  # the socket of a nursery that can start it faster: Python modules only
    listed: bool = True  # in the status; parts that only help others are not
    needs: frozenset[str] = frozenset()
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] = _no
    job: bool = False
    already_done: Callable[[], bool] = _no  # for a job with nothing left to do
    prepare: Callable[[], None] = _nothing  # before each start
    finish: Callable[[], None] = _nothing  # after a job ended well
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL  # sent by the kernel when the supervisor dies
    start_within: float = 60.0  # seconds
    stop_within: float = 10.0
    user: str | None = None
    directory: Path | None = None  # where it works; a folder of its own in `.luna/work` otherwise
    endpoint: str = ""


@dataclass
class Adopted:
    """A process that the nursery started and that is our child since."""

    pid: int
    returncode: int | None = None


class Life:
    """The life of one part under the supervisor."""

    def __init__(self, part: Component) -> None:
        self.part = part
        self.state = State.WAITING
        self.process: subprocess.Popen[bytes] | Adopted | None = None
        self.restarts = 0
        self.since = datetime.now(UTC)
        self.failures = 0  # in a row
        self.last_exit = ""
        self._changed_at = time.monotonic()
        self._pause = FIRST_PAUSE

    def enter(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self.since = datetime.now(UTC)
            self._changed_at = time.monotonic()

    @property
    def settled(self) -> bool:
        """Nothing is expected of it before others may build on it."""
        return self.state in {State.READY, State.DONE}

    @property
    def in_state_for(self) -> float:
        """Seconds in the present state."""
        return time.monotonic() - self._changed_at

    @property
    def pause_is_over(self) -> bool:
        return self.in_state_for >= self._pause

    def died(self, status: int) -> None:
        """Remember how it ended; the pause grows unless it had been well for a while."""
        was_steady = self.state == State.READY and self.in_state_for >= STEADY_AFTER
        grown = min(self._pause * 2, LONGEST_PAUSE) if self.failures else FIRST_PAUSE
        self._pause = FIRST_PAUSE if was_steady else grown
        self.failures = 1 if was_steady else self.failures + 1
        self.last_exit = (
            f"was ended by {signal.Signals(-status).name}"
            if status < 0
            else f"exited with {status}"
        )
        self.process = None

    def row(self) -> dict[str, object]:
        """As `status --json` shows it."""
        return {
            "name": self.part.name,
            "state": str(self.state),
            "pid": self.process.pid if self.process else None,
            "restarts": self.restarts,
            "since": self.since.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "endpoint": self.part.endpoint,
        }
