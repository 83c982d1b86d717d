"""Keeps the parts running: ordered start, restart of what dies, stop in reverse order.

One thread and one loop, so that Ctrl-C is honoured at any moment and the kernel's promise to end
our children when we die (tied to the thread that started them) holds.
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
from ops.home import Home, write_whole
from ops.native import fork_server, pid_files
from ops.native.component import Adopted, Component, Life, State
from ops.processes import adopt_orphans, children_of, kill_group, spawn

TICK = 0.05  # seconds between looks while something is under way
IDLE_TICK = 5.0  # when nothing is; the end of a child wakes us at once
ATTEMPTS = 3  # starts of a part that never was ready, before the whole start is given up
LAST_LINES = 20
SWEEP_FOR = 2.0  # seconds


class Supervisor:
    """Runs parts until told to stop. `run` returns the exit code."""

    def __init__(self, home: Home, parts: Iterable[Component], about: dict[str, Any]) -> None:
        self._home = home
        self._lives = {part.name: Life(part) for part in parts}
        self._about = about
        self._came_up = False
        self._stopping = False
        self._hurry = False
        self._failure: dict[str, Any] | None = None
        self._told = ""
        self._sweep_until = 0.0
        self._wake, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> int:
        adopt_orphans()
        pid_files.end_leftovers(self._home)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        while not (self._stopping and self._nothing_runs()):
            self._reap()
            self._end_orphans()
            if self._stopping:
                self._stop_what_nothing_needs()
            else:
                self._advance()
            self._publish()
            self._sleep()
        self._publish()
        return 1 if self._failure else 0

    # --- starting -----------------------------------------------------------------------------
    def _advance(self) -> None:
        for life in self._lives.values():
            if life.state == State.WAITING and self._has_what_it_needs(life):
                self._start(life)
            elif life.state == State.RESTARTING and life.pause_is_over:
                life.restarts += 1
                self._start(life)
            elif life.state == State.STARTING:
                self._look_whether_ready(life)
        self._came_up = self._came_up or all(life.settled for life in self._lives.values())

    def _has_what_it_needs(self, life: Life) -> bool:
        return all(self._lives[name].settled for name in life.part.needs)

    def _start(self, life: Life) -> None:
        part = life.part
        if part.job and part.already_done():
            life.enter(State.DONE)
            return
        folder = part.directory or self._home.work / part.name
        folder.mkdir(mode=0o700, exist_ok=True)
        part.prepare()
        life.process = self._born(part, folder) or spawn(
            part.command(),
            environment=part.environment,
            directory=folder,
            log=self._home.log(part.name),
            user=part.user,
            death_signal=part.death_signal,
        )
        pid_files.remember(self._home, part.name, life.process.pid)
        life.enter(State.STARTING)

    def _born(self, part: Component, folder: Path) -> Adopted | None:
        """Start it in the nursery, when there is one and it answers."""
        if not part.nursery:
            return None
        request = {
            "words": part.command()[2:],  # after python -m
            "environment": dict(part.environment),
            "directory": str(folder),
            "log": str(self._home.log(part.name)),
            "death_signal": int(part.death_signal),
            "parent": os.getpid(),
        }
        pid = fork_server.ask(part.nursery, request)
        return Adopted(pid) if pid else None

    def _look_whether_ready(self, life: Life) -> None:
        if not life.part.job and life.part.ready():
            life.enter(State.READY)
        elif life.in_state_for > life.part.start_within and life.process:
            life.last_exit = f"was not ready within {life.part.start_within:.0f} s"
            if not self._came_up:
                self._give_up(life)
            kill_group(life.process.pid, signal.SIGKILL)  # its end is noticed and it is restarted

    # --- endings ------------------------------------------------------------------------------
    def _reap(self) -> None:
        """Take note of every child that ended, and end its group."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            for life in self._lives.values():
                if life.process and life.process.pid == pid:
                    self._sweep_until = time.monotonic() + SWEEP_FOR
                    kill_group(pid, signal.SIGKILL)
                    self._ended(life, os.waitstatus_to_exitcode(status))

    def _end_orphans(self) -> None:
        """End what a dead part left: children we did not start are ours by adoption.

        They come to us one generation after the other, hence for a while after a death.
        """
        if time.monotonic() > self._sweep_until:
            return
        known = {life.process.pid for life in self._lives.values() if life.process}
        for pid in set(children_of(os.getpid())) - known:
            os.kill(pid, signal.SIGKILL)

    def _ended(self, life: Life, code: int) -> None:
        assert life.process is not None
        life.process.returncode = code  # we reaped it, so Popen need not wonder
        pid_files.forget(self._home, life.part.name)
        if self._stopping:
            life.process = None
            life.enter(State.STOPPED)
        elif life.part.job and code == 0:
            life.process = None
            life.part.finish()
            life.enter(State.DONE)
        else:
            life.died(code)
            life.enter(State.RESTARTING)
            if not self._came_up and life.failures >= ATTEMPTS:
                self._give_up(life)

    def _give_up(self, life: Life) -> None:
        self._failure = {
            "part": life.part.name,
            "reason": life.last_exit,
            "log": home.last_lines(self._home.log(life.part.name), LAST_LINES),
        }
        self._stopping = True

    # --- stopping -----------------------------------------------------------------------------
    def _asked_to_stop(self, _number: int, _frame: object) -> None:
        self._hurry = self._stopping  # asked twice: no more patience
        self._stopping = True

    def _nothing_runs(self) -> bool:
        return all(life.process is None for life in self._lives.values())

    def _stop_what_nothing_needs(self) -> None:
        for life in self._lives.values():
            if life.process is None:
                life.enter(State.STOPPED)
            elif life.state == State.STOPPING:
                if self._hurry or life.in_state_for > life.part.stop_within:
                    kill_group(life.process.pid, signal.SIGKILL)
            elif not self._is_needed(life.part.name):
                life.enter(State.STOPPING)
                os.kill(life.process.pid, life.part.stop_signal)

    def _is_needed(self, name: str) -> bool:
        """Whether anything that still runs stands on this part, directly or through others."""
        for other in self._lives.values():
            if name in other.part.needs and (other.process or self._is_needed(other.part.name)):
                return True
        return False

    # --- telling ------------------------------------------------------------------------------
    def _overall(self) -> str:
        if self._stopping:
            return "down"
        if not self._came_up:
            return "starting"
        return "ready" if all(life.settled for life in self._lives.values()) else "degraded"

    def _publish(self) -> None:
        listed = [life for life in self._lives.values() if life.part.listed]
        services = [life.row() for life in listed if not life.part.job]
        jobs = [life.row() for life in listed if life.part.job]
        about = {**self._about, "state": self._overall(), "failure": self._failure}
        text = json.dumps(about | {"services": services, "jobs": jobs})
        if text != self._told:
            write_whole(self._home.state_file, text)
            self._told = text

    def _sleep(self) -> None:
        calm = time.monotonic() > self._sweep_until and not self._stopping
        calm = calm and all(life.settled for life in self._lives.values())
        if calm:
            pid_files.keep_logs_small(self._home)
        select.select([self._wake], [], [], IDLE_TICK if calm else TICK)
        try:
            os.read(self._wake, 4096)
        except BlockingIOError:
            return
