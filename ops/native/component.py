"""A component of the system as declared, and the process that runs it."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

MIN_RESTART_DELAY = 0.1  # seconds before the first restart; doubled each time
MAX_RESTART_DELAY = 10.0
STABLE_AFTER = 30.0  # seconds in READY after which the delay starts at its minimum again


class State(StrEnum):
    """The state of a component under the supervisor."""

    WAITING = "waiting"  # for the components it needs
    STARTING = "starting"  # it runs but is not ready
    READY = "ready"
    UNRESPONSIVE = "unresponsive"  # it did not answer for long and is being ended
    RESTARTING = "restarting"  # it exited and starts again after a delay
    DONE = "done"  # a job that succeeded
    STOPPING = "stopping"
    STOPPED = "stopped"


def _nothing() -> None:
    return


def _no() -> bool:
    return False


def _yes() -> bool:
    return True


@dataclass(frozen=True)
class Component:
    """One program of the system: a service that keeps running, or a job that ends."""

    name: str
    command: Callable[[], list[str]]
    fork_server: str = ""  # socket of a fork server that starts it faster; Python modules only
    listed: bool = True  # in the status
    needs: frozenset[str] = frozenset()
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] = _no
    answers: Callable[[], bool] = _yes  # while READY, independently of other components
    job: bool = False
    background: bool = False  # a job that the system is ready without, and never fails by
    already_done: Callable[[], bool] = _no  # for a job with nothing left to do
    prepare: Callable[[], None] = _nothing  # before each start
    finish: Callable[[], None] = _nothing  # after a job succeeded
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL  # sent by the kernel when the supervisor dies
    start_timeout: float = 60.0  # seconds
    stop_timeout: float = 10.0
    user: str | None = None
    # kept when LUNA is started as root; None: all, for a program that gives them up itself
    capabilities: frozenset[int] | None = frozenset()
    # a service that takes over its socket when a successor can serve: replaced without an outage
    replaceable: bool = False
    reload_signal: signal.Signals | None = None  # restarts it in place
    directory: Path | None = None  # working directory; default: a folder of its own in `work`
    endpoint: str = ""


@dataclass
class ForkedProcess:
    """A process that the fork server started and the supervisor adopted."""

    pid: int
    returncode: int | None = None


Process = subprocess.Popen[bytes] | ForkedProcess


class Child:
    """A component under the supervisor: its state, its process, its restarts."""

    def __init__(self, component: Component) -> None:
        self.component = component
        self.state = State.WAITING
        self.process: Process | None = None
        self.retiring: Process | None = None  # the predecessor, until it has drained and ended
        self.restarts = 0
        self.since = datetime.now(UTC)
        self.failures = 0  # in a row
        self.last_exit = ""
        self.retiring_since: float | None = None  # when it was asked to end
        self._taken_over = 0  # inode of the socket that the predecessor serves
        self.silent_since: float | None = None  # the first of the failed probes in a row
        self._changed_at = time.monotonic()
        self._delay = MIN_RESTART_DELAY

    def enter(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self.since = datetime.now(UTC)
            self.silent_since = None
            self._changed_at = time.monotonic()

    def retire(self) -> None:
        """Keep the process as the predecessor of the one that is started next."""
        self.retiring, self.process, self.retiring_since = self.process, None, None
        self._taken_over = Path(self.component.endpoint).stat().st_ino

    @property
    def pids(self) -> set[int]:
        """The process and its predecessor, where they run."""
        return {process.pid for process in (self.process, self.retiring) if process}

    def is_ready(self) -> bool:
        """Return whether it answers: itself, not the predecessor whose socket it takes over."""
        if self.retiring is not None:
            path = Path(self.component.endpoint)
            if not path.exists() or path.stat().st_ino == self._taken_over:
                return False
        return self.component.ready()

    @property
    def available(self) -> bool:
        """Whether components that need this one may start."""
        return self.state in {State.READY, State.DONE}

    @property
    def seconds_in_state(self) -> float:
        return time.monotonic() - self._changed_at

    @property
    def may_restart(self) -> bool:
        return self.seconds_in_state >= self._delay

    def record_exit(self, status: int) -> None:
        """Record an unexpected exit and double the restart delay, unless the state was stable."""
        was_stable = self.state == State.READY and self.seconds_in_state >= STABLE_AFTER
        doubled = min(self._delay * 2, MAX_RESTART_DELAY) if self.failures else MIN_RESTART_DELAY
        self._delay = MIN_RESTART_DELAY if was_stable else doubled
        self.failures = 1 if was_stable else self.failures + 1
        self.last_exit = (
            f"was killed by {signal.Signals(-status).name}"
            if status < 0
            else f"exited with {status}"
        )
        self.process = None

    def row(self) -> dict[str, object]:
        """Return the row of `status --json`."""
        return {
            "name": self.component.name,
            "state": str(self.state),
            "pid": self.process.pid if self.process else None,
            "restarts": self.restarts,
            "since": self.since.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "endpoint": self.component.endpoint,
        }
