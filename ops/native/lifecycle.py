"""`luna up` and `luna down`: start guard and supervisor, tell what happens, wait until ready."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ops.console import console, print_accounts
from ops.home import ROOT, Home, read_json
from ops.native import pid_files, status
from ops.native.supervisor_main import EXIT_ALREADY_RUNS, guarded_command, take_lock
from ops.native.topology import Options
from ops.processes import spawn
from ops.servers import environment, prerequisites, run_as

LOOK_EVERY = 0.05  # seconds
READY_WITHIN = 600.0  # a first start on a small machine; each part has a closer bound of its own
DOWN_WITHIN = 60.0


class StartFailedError(Exception):
    """A part did not come up; the message names it and ends with its last words."""


def up(home: Home, options: Options, *, detach: bool) -> int:
    """Start everything and stay (or, detached, return when ready). Its exit code."""
    if status.is_running(home):
        return _join(home)
    home.make(run_as.stand_in()[1])
    home.state_file.unlink(missing_ok=True)
    began = time.monotonic()
    process = _start(home, options)
    leave = _Leave(process)
    try:
        _tell_until_ready(home, process, leave)
    except StartFailedError as failed:
        console.print(f"[red]{failed}[/red]", markup=True)
        return 1
    if leave.asked:
        return process.wait() or 128 + leave.asked
    if process.poll() == EXIT_ALREADY_RUNS:
        return _join(home)
    _welcome(home, options, time.monotonic() - began)
    return 0 if detach else _stay(home, process, leave)


def _start(home: Home, options: Options) -> subprocess.Popen[bytes]:
    return spawn(
        guarded_command(options),
        environment=environment.base(),
        directory=ROOT,
        log=home.log("supervisor"),
        death_signal=signal.SIGTERM if options.follows else None,
    )


class _Leave:
    """Passes a wish to stop on to the guard; `asked` is the signal that came."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.asked = 0
        self._process = process
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, number: int, _frame: object) -> None:
        if not self.asked:
            console.print("Stopping …")
        self.asked = number
        self._process.terminate()


def _changes(home: Home, before: dict[str, str]) -> Iterator[tuple[dict[str, Any], str]]:
    """Rows whose state is new since the last look."""
    state = read_json(home.state_file)
    for row in [*state.get("jobs", []), *state.get("services", [])]:
        was, now = before.get(row["name"]), row["state"]
        before[row["name"]] = now
        if was != now:
            yield row, was or ""


def _tell_until_ready(home: Home, process: subprocess.Popen[bytes], leave: _Leave) -> None:
    began = time.monotonic()
    seen: dict[str, str] = {}
    while not leave.asked:
        ended = process.poll() is not None
        for row, was in _changes(home, seen):
            _tell(row, was, time.monotonic() - began)
        state = read_json(home.state_file)
        if failure := state.get("failure"):
            process.wait()
            raise StartFailedError(_explain(home, failure))
        if state.get("state") == "ready" or process.returncode == EXIT_ALREADY_RUNS:
            return
        if ended or time.monotonic() - began > READY_WITHIN:
            process.terminate()
            raise StartFailedError(
                f"The supervisor ended. The last of {home.log('supervisor')}:\n"
                + "\n".join(home.log("supervisor").read_text(errors="replace").splitlines()[-20:])
            )
        time.sleep(LOOK_EVERY)


def _tell(row: dict[str, Any], was: str, seconds: float) -> None:
    if row["state"] in {"ready", "done"} and was not in {"", "waiting"}:
        console.print(f"  [green]✓[/green] {row['name']:<22}{seconds:6.1f} s")
    elif row["state"] == "restarting":
        console.print(f"  [yellow]![/yellow] {row['name']} ended and is started again")


def _explain(home: Home, failure: dict[str, Any]) -> str:
    lines = "\n".join(f"    {line}" for line in failure["log"])
    log = home.log(failure["part"])
    return f"{failure['part']} {failure['reason']}. The last lines of {log}:\n{lines}"


def _welcome(home: Home, options: Options, seconds: float) -> None:
    now = status.of(home)
    port = int(now["address"].rpartition(":")[2])
    if port != options.port:
        console.print(f"Port {options.port} is taken: using {port}.")
    console.print(
        f"\n[bold]LUNA is ready[/bold] after {seconds:.1f} s: [bold]{now['address']}[/bold]"
    )
    console.print(f"  API pages {now['address']}/api/v1/docs · logs {home.logs} · ./luna status")
    print_accounts(now["accounts"])


def _stay(home: Home, process: subprocess.Popen[bytes], leave: _Leave) -> int:
    console.print("Ctrl-C stops it.")
    seen: dict[str, str] = {}
    list(_changes(home, seen))
    while process.poll() is None:
        for row, was in _changes(home, seen):
            if not leave.asked:
                _tell(row, was or "starting", 0.0)
        time.sleep(LOOK_EVERY * 4)
    if leave.asked:
        console.print("Stopped.")
        return 0
    print("The supervisor ended unexpectedly; everything was stopped.", file=sys.stderr)
    return 1


def _join(home: Home) -> int:
    """LUNA runs already, or is just starting: wait for that one."""
    until = time.monotonic() + READY_WITHIN
    while status.is_running(home) and time.monotonic() < until:
        now = status.of(home)
        if now["state"] in {"ready", "degraded"}:
            console.print(f"LUNA runs already: [bold]{now['address']}[/bold] ({now['state']})")
            print_accounts(now["accounts"])
            return 0
        time.sleep(LOOK_EVERY)
    print("LUNA was starting, but did not come up: see ./luna logs", file=sys.stderr)
    return 1


def down(home: Home) -> int:
    """Stop what runs in this home, in order; 0 also when nothing did."""
    if not status.is_running(home):
        if home.work.exists():
            pid_files.end_leftovers(home)
        console.print("LUNA does not run here.")
        return 0
    told: set[int] = set()
    until = time.monotonic() + DOWN_WITHIN
    while status.is_running(home):
        pid = status.written_by_the_living(home).get("pid")  # none yet when it has just begun
        if pid and pid not in told:
            os.kill(pid, signal.SIGTERM)
            told.add(pid)
        if time.monotonic() > until:
            print(f"It did not stop within {DOWN_WITHIN:.0f} s.", file=sys.stderr)
            return 1
        time.sleep(LOOK_EVERY)
    console.print("Stopped.")
    return 0


def forget_everything(home: Home) -> None:
    """For `--fresh`: remove data, keys and logs of a LUNA that does not run."""
    if not home.path.exists():
        return
    lock = take_lock(home)
    if lock is None:
        raise StartFailedError("LUNA is running: ./luna down first")
    with lock:
        for name in ("postgres", "run"):  # may be links to where the contents are
            target = home.path / name
            if target.is_symlink():
                shutil.rmtree(target.resolve(), ignore_errors=True)
                target.unlink()
        for name in ("postgres", "run", "redis", "keys", "robots", "logs", "work"):
            shutil.rmtree(home.path / name, ignore_errors=True)
        home.state_file.unlink(missing_ok=True)


def options_for(home: Home, port: int, **more: Any) -> Options:
    """Complete options by where the programs are; installs what is missing and allowed."""
    needed = read_major(home)
    programs = prerequisites.ensure()
    postgres = prerequisites.find_postgres(needed) if needed else programs.postgres
    if postgres is None:
        raise prerequisites.MissingProgramsError(
            f"The database in {home.postgres} was made by PostgreSQL {needed}, which is not here. "
            "Install that version, or start anew with --fresh."
        )
    return Options(
        home=str(home.path),
        port=port,
        postgres=str(postgres),
        redis=str(programs.redis),
        nginx=str(programs.nginx),
        **more,
    )


def read_major(home: Home) -> int | None:
    """The PostgreSQL version whose data this home holds."""
    file: Path = home.postgres / "data" / "PG_VERSION"
    return int(file.read_text(encoding="ascii")) if file.exists() else None
