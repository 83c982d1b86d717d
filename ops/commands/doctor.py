"""`luna doctor`: check the prerequisites, and the state of a running LUNA."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from ops import compose
from ops.console import console
from ops.home import Home
from ops.native import status
from ops.servers import nginx, prerequisites, run_as
from ops.servers.prerequisites import MissingProgramsError

MIN_FREE_DISK = 1024**3  # bytes
DEFAULT_PORT = 8080


@dataclass(frozen=True)
class Finding:
    """The result of one check; `good` is None for information."""

    good: bool | None
    text: str


def _programs() -> Iterator[Finding]:
    for key, found in prerequisites.find_all().items():
        program = prerequisites.PREREQUISITES[key]
        text = f"{program.name}: {found or 'missing — apt-get install ' + program.packages[0]}"
        yield Finding(found is not None, text)


def _database_user() -> Finding:
    try:
        prefix, user = run_as.unprivileged()
    except MissingProgramsError as missing:
        return Finding(good=False, text=str(missing))
    how = "in a user namespace" if prefix else f"as {user}" if user else "as this user"
    return Finding(good=True, text=f"PostgreSQL runs {how}")


def _disk(home: Home) -> Finding:
    place = home.path if home.path.exists() else home.path.parent
    free = shutil.disk_usage(place).free
    return Finding(free > MIN_FREE_DISK, f"{free / 1024**3:.1f} GiB free for {home.path}")


def _running(home: Home) -> Iterator[Finding]:
    now = status.probed(home)
    if now["state"] == "down":
        port, reservation = nginx.reserve_port(DEFAULT_PORT)
        reservation.close()
        taken = "" if port == DEFAULT_PORT else f" (port {DEFAULT_PORT} is in use; {port} is free)"
        yield Finding(good=None, text=f"LUNA is not running here{taken}")
        return
    yield Finding(now["state"] == "ready", f"LUNA is {now['state']} at {now['address']}")
    for row in now["services"]:
        if row["state"] != "ready":
            log = home.log(row["name"])
            yield Finding(good=False, text=f"{row['name']} is {row['state']}: see {log}")
        elif row["restarts"]:
            yield Finding(good=None, text=f"{row['name']} was restarted {row['restarts']} times")


def findings(home: Home) -> Iterator[Finding]:
    """Yield the result of every check."""
    yield Finding(good=True, text=f"Python {sys.version.split()[0]} in {sys.prefix}")
    yield from _programs()
    yield _database_user()
    engine = "is running" if compose.engine_is_running() else "is not running: LUNA starts natively"
    yield Finding(good=None, text=f"Docker {engine}")
    yield _disk(home)
    yield Finding(good=None, text=f"{os.cpu_count()} processors")
    yield from _running(home)


def run(home: Home) -> int:
    """Print the findings; return 1 for a fault, 3 for a missing program."""
    faults = 0
    for finding in findings(home):
        sign = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "[blue]·[/blue]"}
        console.print(f"{sign[finding.good]} {finding.text}")
        faults += finding.good is False
    if None in prerequisites.find_all().values():
        return prerequisites.EXIT_MISSING
    return 1 if faults else 0
