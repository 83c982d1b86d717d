"""Supervise the components: start in order, restart after an exit, stop in reverse order.

One thread and one loop, so that Ctrl-C is handled at any time and the death signal, which Linux
ties to the thread that forked, works.
"""

import json
import os
import select
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ops import home
from ops.home import Home, write_atomically
from ops.native import fork_server, pid_files
from ops.native.component import Child, Component, ForkedProcess, State
from ops.native.rolling_restart import SIGNAL, RollingRestart
from ops.native.watchdog import Watchdog, timeout
from ops.processes import become_subreaper, children_of, kill_group, spawn
from ops.servers import run_as

ACTIVE_INTERVAL = 0.05  # seconds between checks while a state is about to change
MAX_START_ATTEMPTS = 3  # of a component that was never ready, before `up` fails
LOG_LINES = 20  # shown when `up` fails
ORPHAN_SWEEP_TIME = 2.0  # seconds
MAX_END_TIME = 5.0  # of an unresponsive component, before it is killed


class Supervisor:
    """Run components until a signal stops them. `run` returns the exit code."""

    def __init__(self, home: Home, components: Iterable[Component], about: dict[str, Any]) -> None:
        self._home = home
        self._children = {component.name: Child(component) for component in components}
        self._restarts = RollingRestart(home, self._children, self._start)
        self._about = about
        self._started = False
        self._stopping = False
        self._forced = False
        self._failure: dict[str, Any] | None = None
        self._published = ""
        self._sweep_until = 0.0
        self._watchdog = Watchdog(timeout())
        self._wakeup_reader, self._wakeup_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> int:
        become_subreaper()
        pid_files.kill_leftovers(self._home)
        signal.set_wakeup_fd(self._wakeup_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._request_stop)
        signal.signal(SIGNAL, self._restarts.read_request)
        while not (self._stopping and self._all_stopped()):
            self._reap()
            self._kill_orphans()
            if self._stopping:
                self._stop_unneeded()
            else:
                self._advance()
            self._publish()
            self._sleep()
        self._publish()
        return 1 if self._failure else 0

    # --- starting -----------------------------------------------------------------------------
    def _advance(self) -> None:
        for child in self._children.values():
            if child.state == State.WAITING and self._can_start(child):
                self._start(child)
            elif child.state == State.RESTARTING and child.may_restart:
                child.restarts += 1
                self._start(child)
            elif child.state == State.STARTING:
                self._check_ready(child)
            elif child.state == State.UNRESPONSIVE:
                self._kill_late(child, MAX_END_TIME)
            elif child.state == State.STOPPING:  # to be restarted
                self._kill_late(child, child.component.stop_timeout)
        for child in self._watchdog.find_unresponsive(self._children.values()):
            self._end(child)
        self._restarts.advance()
        self._started = self._started or self._all_available()

    def _all_available(self) -> bool:
        return all(
            child.available or child.component.background for child in self._children.values()
        )

    def _can_start(self, child: Child) -> bool:
        return all(self._children[name].available for name in child.component.needs)

    def _start(self, child: Child) -> None:
        component = child.component
        if component.job and component.already_done():
            child.enter(State.DONE)
            return
        folder = component.directory or self._home.work / component.name
        folder.mkdir(mode=0o700, exist_ok=True)
        if child.retiring is None:  # else its predecessor still uses what this would clear
            component.prepare()
        child.process = self._fork(component, folder) or spawn(
            component.command(),
            environment=component.environment,
            directory=folder,
            log=self._home.log(component.name),
            user=component.user,
            death_signal=component.death_signal,
            capabilities=self._capabilities(component),
        )
        pid_files.write(self._home, component.name, child.process.pid)
        child.enter(State.STARTING)

    def _capabilities(self, component: Component) -> frozenset[int] | None:
        kept = component.capabilities
        return None if kept is None else kept | run_as.file_capabilities()

    def _fork(self, component: Component, folder: Path) -> ForkedProcess | None:
        """Start it by the fork server; None when it has none or that does not respond."""
        if not component.fork_server:
            return None
        request = {
            "words": component.command()[2:],  # after python -m
            "environment": dict(component.environment),
            "directory": str(folder),
            "log": str(self._home.log(component.name)),
            "death_signal": int(component.death_signal),
            "parent": os.getpid(),
        }
        pid = fork_server.fork(component.fork_server, request)
        return ForkedProcess(pid) if pid else None

    def _check_ready(self, child: Child) -> None:
        component = child.component
        if not component.job and child.is_ready():
            child.enter(State.READY)
        elif child.seconds_in_state > component.start_timeout and child.process:
            child.last_exit = f"was not ready within {component.start_timeout:.0f} s"
            if not self._started and not component.background:
                self._fail(child)
            kill_group(child.process.pid, signal.SIGKILL)  # reaped and restarted

    def _end(self, child: Child) -> None:
        """Ask a component that does not answer to exit; it is killed later, and restarted."""
        assert child.process is not None
        name = child.component.name
        print(f"{name} (pid {child.process.pid}) does not answer: it is restarted", flush=True)
        child.enter(State.UNRESPONSIVE)
        os.kill(child.process.pid, child.component.stop_signal)

    def _kill_late(self, child: Child, seconds: float) -> None:
        """Kill a component that has not exited within the time, at most its stop timeout."""
        allowed = min(seconds, child.component.stop_timeout)
        if child.process and child.seconds_in_state > allowed:
            kill_group(child.process.pid, signal.SIGKILL)

    # --- exits --------------------------------------------------------------------------------
    def _reap(self) -> None:
        """Record each child that exited and kill its process group."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            for child in self._children.values():
                if pid in child.pids:
                    self._sweep_until = time.monotonic() + ORPHAN_SWEEP_TIME
                    kill_group(pid, signal.SIGKILL)
                    self._record_exit(child, pid, os.waitstatus_to_exitcode(status))

    def _kill_orphans(self) -> None:
        """Kill what an exited component had started: adopted children that no component owns.

        Descendants are adopted one generation after the other, hence for a while after an exit.
        """
        if time.monotonic() > self._sweep_until:
            return
        known = {pid for child in self._children.values() for pid in child.pids}
        for pid in set(children_of(os.getpid())) - known:
            os.kill(pid, signal.SIGKILL)

    def _record_exit(self, child: Child, pid: int, code: int) -> None:
        if child.retiring and child.retiring.pid == pid:
            child.retiring.returncode, child.retiring = code, None
            pid_files.delete(self._home, f"{child.component.name}.retiring")
            return
        assert child.process is not None
        child.process.returncode = code  # already reaped: Popen must not wait for it
        pid_files.delete(self._home, child.component.name)
        if self._stopping:
            child.process = None
            child.enter(State.STOPPED)
        elif child.component.job and code == 0:
            child.process = None
            child.component.finish()
            child.enter(State.DONE)
        else:
            child.record_exit(code)
            child.enter(State.RESTARTING)
            needed = not self._started and not child.component.background
            if needed and child.failures >= MAX_START_ATTEMPTS:
                self._fail(child)

    def _fail(self, child: Child) -> None:
        name = child.component.name
        log = home.last_lines(self._home.log(name), LOG_LINES)
        self._failure = {"component": name, "reason": child.last_exit, "log": log}
        self._stopping = True

    # --- stopping -----------------------------------------------------------------------------
    def _request_stop(self, _number: int, _frame: object) -> None:
        self._forced = self._stopping  # a second signal kills at once
        self._stopping = True

    def _all_stopped(self) -> bool:
        return not any(child.pids for child in self._children.values())

    def _stop_unneeded(self) -> None:
        for child in self._children.values():
            component = child.component
            self._restarts.end_retiring(child)
            if child.process is None:
                child.enter(State.STOPPED)
            elif child.state == State.STOPPING:
                self._kill_late(child, 0.0 if self._forced else component.stop_timeout)
            elif not self._is_needed(component.name):
                child.enter(State.STOPPING)
                os.kill(child.process.pid, component.stop_signal)

    def _is_needed(self, name: str) -> bool:
        """Whether a running component needs this one, directly or through others."""
        for child in self._children.values():
            component = child.component
            if name in component.needs and (child.process or self._is_needed(component.name)):
                return True
        return False

    # --- state file ---------------------------------------------------------------------------
    def _overall(self) -> str:
        if self._stopping:
            return "down"
        if not self._started:
            return "starting"
        return "ready" if self._all_available() else "degraded"

    def _publish(self) -> None:
        listed = [child for child in self._children.values() if child.component.listed]
        services = [child.row() for child in listed if not child.component.job]
        jobs = [child.row() for child in listed if child.component.job]
        restart = {"id": self._restarts.request_id, "left": self._restarts.left}
        about = {**self._about, "state": self._overall(), "failure": self._failure}
        about["restart"] = restart
        text = json.dumps(about | {"services": services, "jobs": jobs})
        if text != self._published:
            write_atomically(self._home.state_file, text)
            self._published = text

    def _sleep(self) -> None:
        idle = time.monotonic() > self._sweep_until and not self._stopping
        idle = idle and self._all_available()
        if idle:
            pid_files.rotate_logs(self._home)
        interval = self._watchdog.interval if idle else ACTIVE_INTERVAL
        select.select([self._wakeup_reader], [], [], interval)
        try:
            os.read(self._wakeup_reader, 4096)
        except BlockingIOError:
            return
