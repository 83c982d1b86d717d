"""`luna up` and `luna down`: start or stop the supervisor and show the progress."""

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
from ops.native.supervisor_main import EXIT_ALREADY_RUNS, supervisor_command, take_lock
from ops.native.topology import Options
from ops.processes import spawn
from ops.servers import certificate, environment, prerequisites, run_as

POLL_INTERVAL = 0.05  # seconds
READY_TIMEOUT = 600.0  # of a first start; each component has its own start timeout
STOP_TIMEOUT = 60.0


class StartFailedError(Exception):
    """A component did not start; the message names it and ends with the end of its log."""


def up(home: Home, options: Options, *, detach: bool) -> int:
    """Start everything; return the exit code when it is ready (`detach`) or has stopped."""
    if status.is_running(home):
        return _join(home)
    home.make(run_as.unprivileged()[1])
    if options.tls_port:
        certificate.ensure(home.keys)
    home.state_file.unlink(missing_ok=True)
    began = time.monotonic()
    stop = _StopRequest()
    process = _start(home, options)
    stop.forward_to(process)
    try:
        _show_progress(home, process, stop)
    except StartFailedError as failed:
        console.print(f"[red]{failed}[/red]", markup=True)
        return 1
    if stop.signal:
        console.print("Stopping …")
        return process.wait() or 128 + stop.signal
    if process.poll() == EXIT_ALREADY_RUNS:
        return _join(home)
    _print_ready(home, options, time.monotonic() - began)
    return 0 if detach else _follow(home, process, stop)


def _start(home: Home, options: Options) -> subprocess.Popen[bytes]:
    return spawn(
        supervisor_command(options),
        environment=environment.with_dotenv(),
        directory=ROOT,
        log=home.log("supervisor"),
        death_signal=signal.SIGTERM if options.follows else None,
    )


class _StopRequest:
    """Forwards a stop signal to the subreaper; `signal` is its number, or 0.

    The handler prints nothing: it may interrupt a print, which cannot be nested.
    """

    def __init__(self) -> None:
        self.signal = 0
        self._process: subprocess.Popen[bytes] | None = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._handle)

    def forward_to(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        if self.signal:  # it came before the process was started
            process.terminate()

    def _handle(self, number: int, _frame: object) -> None:
        self.signal = number
        if self._process is not None:
            self._process.terminate()


def _changes(home: Home, before: dict[str, str]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each row whose state has changed, with its previous state; update `before`."""
    state = read_json(home.state_file)
    for row in [*state.get("jobs", []), *state.get("services", [])]:
        was, now = before.get(row["name"]), row["state"]
        before[row["name"]] = now
        if was != now:
            yield row, was or ""


def _show_progress(home: Home, process: subprocess.Popen[bytes], stop: _StopRequest) -> None:
    began = time.monotonic()
    seen: dict[str, str] = {}
    while not stop.signal:
        ended = process.poll() is not None
        for row, was in _changes(home, seen):
            _print_change(row, was, time.monotonic() - began)
        state = read_json(home.state_file)
        if failure := state.get("failure"):
            process.wait()
            raise StartFailedError(_explain(home, failure))
        if state.get("state") == "ready" or process.returncode == EXIT_ALREADY_RUNS:
            return
        if ended or time.monotonic() - began > READY_TIMEOUT:
            process.terminate()
            raise StartFailedError(
                f"The supervisor exited. The end of {home.log('supervisor')}:\n"
                + "\n".join(home.log("supervisor").read_text(errors="replace").splitlines()[-20:])
            )
        time.sleep(POLL_INTERVAL)


def _print_change(row: dict[str, Any], was: str, seconds: float) -> None:
    if row["state"] in {"ready", "done"} and was not in {"", "waiting"}:
        console.print(f"  [green]✓[/green] {row['name']:<22}{seconds:6.1f} s")
    elif row["state"] == "restarting":
        console.print(f"  [yellow]![/yellow] {row['name']} exited and is restarted")


def _explain(home: Home, failure: dict[str, Any]) -> str:
    lines = "\n".join(f"    {line}" for line in failure["log"])
    log = home.log(failure["component"])
    return f"{failure['component']} {failure['reason']}. The end of {log}:\n{lines}"


def _print_ready(home: Home, options: Options, seconds: float) -> None:
    now = status.current(home)
    port = int(now["address"].rpartition(":")[2])
    if port != options.port:
        console.print(f"Port {options.port} is taken: using {port}.")
    console.print(
        f"\n[bold]LUNA is ready[/bold] after {seconds:.1f} s: [bold]{now['address']}[/bold]"
    )
    if tls := status.running_state(home).get("tls_address"):
        console.print(f"  TLS and HTTP/2 at {tls}, certificate {home.keys / certificate.FILE}")
    console.print(f"  {_pages_line(home, now['address'])}")
    console.print(f"  API pages {now['address']}/api/v1/docs · logs {home.logs} · ./luna status")
    print_accounts(now["accounts"])


def _pages_line(home: Home, address: str) -> str:
    """Return where the web applications are, and whether they are still being built."""
    states = {row["name"]: row["state"] for row in read_json(home.state_file).get("jobs", [])}
    text = f"Student app {address}/ · staff dashboard {address}/staff/"
    building = states.get("pages") in {"starting", "waiting"}
    return f"{text} (being built; the page says when)" if building else text


def _follow(home: Home, process: subprocess.Popen[bytes], stop: _StopRequest) -> int:
    console.print("Press Ctrl-C to stop.")
    seen: dict[str, str] = {}
    list(_changes(home, seen))
    while process.poll() is None and not stop.signal:
        for row, was in _changes(home, seen):
            _print_change(row, was or "starting", 0.0)
        time.sleep(POLL_INTERVAL * 4)
    if stop.signal:
        console.print("Stopping …")
        process.wait()
        console.print("Stopped.")
        return 0
    print("The supervisor exited unexpectedly; everything was stopped.", file=sys.stderr)
    return 1


def _join(home: Home) -> int:
    """Wait until the LUNA that another command started is ready; return the exit code."""
    deadline = time.monotonic() + READY_TIMEOUT
    while status.is_running(home) and time.monotonic() < deadline:
        now = status.current(home)
        if now["state"] in {"ready", "degraded"}:
            console.print(
                f"LUNA is already running: [bold]{now['address']}[/bold] ({now['state']})"
            )
            print_accounts(now["accounts"])
            return 0
        time.sleep(POLL_INTERVAL)
    print("LUNA did not become ready: see ./luna logs", file=sys.stderr)
    return 1


def down(home: Home) -> int:
    """Stop what runs in this home, in order; return 0 also when nothing did."""
    if not status.is_running(home):
        if home.work.exists():
            pid_files.kill_leftovers(home)
        console.print("LUNA is not running here.")
        return 0
    signalled: set[int] = set()
    deadline = time.monotonic() + STOP_TIMEOUT
    while status.is_running(home):
        pid = status.running_state(home).get("pid")  # none yet while it starts
        if pid and pid not in signalled:
            os.kill(pid, signal.SIGTERM)
            signalled.add(pid)
        if time.monotonic() > deadline:
            print(f"It did not stop within {STOP_TIMEOUT:.0f} s.", file=sys.stderr)
            return 1
        time.sleep(POLL_INTERVAL)
    console.print("Stopped.")
    return 0


def delete_data(home: Home) -> None:
    """Delete data, keys and logs of a LUNA that is not running (`--fresh`)."""
    if not home.path.exists():
        return
    lock = take_lock(home)
    if lock is None:
        raise StartFailedError("LUNA is running: ./luna down first")
    with lock:
        for name in ("postgres", "run"):  # may be links
            target = home.path / name
            if target.is_symlink():
                shutil.rmtree(target.resolve(), ignore_errors=True)
                target.unlink()
        for name in ("postgres", "run", "redis", "keys", "robots", "logs", "work"):
            shutil.rmtree(home.path / name, ignore_errors=True)
        home.state_file.unlink(missing_ok=True)


def options_for(home: Home, port: int, **more: Any) -> Options:
    """Complete the options by the paths of the programs; install what is missing if allowed."""
    needed = read_major(home)
    programs = prerequisites.ensure()
    postgres = prerequisites.find_postgres(needed) if needed else programs.postgres
    if postgres is None:
        raise prerequisites.MissingProgramsError(
            f"The database in {home.postgres} was created by PostgreSQL {needed}, which is not "
            "installed. Install that version, or delete the data with --fresh."
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
    """Read the major PostgreSQL version of the home's data; None when there is none."""
    file: Path = home.postgres / "data" / "PG_VERSION"
    return int(file.read_text(encoding="ascii")) if file.exists() else None
