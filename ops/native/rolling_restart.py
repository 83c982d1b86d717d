"""`luna restart`: replace components one after another, without an outage where that is possible.

The command writes the names to a file and sends SIGUSR1 to the supervisor, whose state file shows
those that are left. The fork server is first, so that the others run the code on disk. A service
is replaced by a successor that takes over its socket; when that serves, the predecessor drains and
ends. Nginx reloads; a worker ends and starts again.
"""

import json
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from ops.home import Home, read_json, write_atomically
from ops.native import fork_server, pid_files, status
from ops.native.component import Child, State
from ops.processes import kill_group

SIGNAL = signal.SIGUSR1
POLL_INTERVAL = 0.1  # seconds
TIMEOUT = 90.0  # of one component
NOT_RESTARTED = ("postgres", "redis")  # the others would fail meanwhile


class RollingRestart:
    """The restarts that the supervisor was asked for; one component at a time."""

    def __init__(
        self, home: Home, children: Mapping[str, Child], start: Callable[[Child], None]
    ) -> None:
        self._home = home
        self._children = children
        self._start = start
        self._queue: deque[str] = deque()
        self._current: Child | None = None
        self._predecessor = 0  # pid
        self.request_id = ""

    @property
    def left(self) -> list[str]:
        """The names of the components that are not restarted yet."""
        current = [self._current.component.name] if self._current else []
        return [*current, *self._queue]

    def read_request(self, _number: int = 0, _frame: object = None) -> None:
        """Read what the command has written (a signal handler)."""
        request = read_json(_file(self._home))
        self.request_id = str(request.get("id", ""))
        names = [name for name in request.get("names", ()) if name in self._children]
        if any(self._children[name].component.fork_server for name in names):
            self._queue.append(fork_server.NAME)
        self._queue.extend(names)

    def advance(self) -> None:
        """Begin with the next component once the current one is replaced."""
        if self._current is not None and self._is_replaced(self._current):
            self._current = None
        if self._current is None and self._queue:
            self._begin(self._children[self._queue.popleft()])

    def _begin(self, child: Child) -> None:
        component = child.component
        if child.state != State.READY or child.process is None:
            return  # it is being started anyway
        if component.reload_signal is not None:
            os.kill(child.process.pid, component.reload_signal)
            return
        self._current, self._predecessor = child, child.process.pid
        if component.replaceable:
            child.retire()
            pid_files.write(self._home, f"{component.name}.retiring", self._predecessor)
            self._start(child)
        else:
            child.enter(State.STOPPING)
            os.kill(child.process.pid, component.stop_signal)

    def _is_replaced(self, child: Child) -> bool:
        if child.state != State.READY or child.process is None:
            return False
        if child.process.pid == self._predecessor:
            return False
        if child.retiring is None:
            return True
        self.end_retiring(child)
        return False

    @staticmethod
    def end_retiring(child: Child) -> None:
        """Ask a predecessor to drain and end; kill it when it takes too long."""
        if child.retiring is None:
            return
        if child.retiring_since is None:
            child.retiring_since = time.monotonic()
            os.kill(child.retiring.pid, child.component.stop_signal)
        elif time.monotonic() - child.retiring_since > child.component.stop_timeout:
            kill_group(child.retiring.pid, signal.SIGKILL)


def _file(home: Home) -> Path:
    return home.path / "restart.json"


def names_for(home: Home, service: str | None) -> list[str]:
    """Return the components of `service`, or all that can be restarted without an outage."""
    rows = [row["name"] for row in status.running_state(home).get("services", ())]
    programs = [name for name in rows if "-service" in name or name.startswith("celery-worker")]
    if service is None:
        return programs
    wanted = {service, f"{service}-service"}
    found = [name for name in [*programs, "nginx"] if _program(name) in wanted or name in wanted]
    if not found:
        reason = "stops all others" if service in NOT_RESTARTED else "is no component"
        raise ValueError(f"{service} {reason}; there are: {', '.join([*programs, 'nginx'])}")
    return found


def _program(name: str) -> str:
    """Return the name without the number of the instance."""
    start, _, number = name.rpartition("-")
    return start if number.isdecimal() else name


def restart(home: Home, names: list[str], report: Callable[[str], None]) -> int:
    """Ask the supervisor for the restarts and wait for them; return the exit code."""
    state = status.running_state(home)
    if "pid" not in state:
        report("LUNA is not running here.")
        return 1
    request_id = f"{time.time():.6f}"
    write_atomically(_file(home), json.dumps({"id": request_id, "names": names}))
    os.kill(state["pid"], SIGNAL)
    left, deadline = list(names), time.monotonic() + TIMEOUT * len(names)
    while time.monotonic() < deadline:
        now = status.running_state(home).get("restart", {})
        if now.get("id") == request_id:
            for name in [each for each in left if each not in now["left"]]:
                left.remove(name)
                report(f"{name} restarted")
            if not left:
                return 0
        time.sleep(POLL_INTERVAL)
    report(f"not restarted in time: {', '.join(left)}; see ./luna logs")
    return 1
