"""`luna doctor`: whether everything is here that LUNA needs, and what runs is well."""

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

ENOUGH_DISK = 1024**3  # bytes
USUAL_PORT = 8080


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `good` None means: worth knowing, no fault."""

    good: bool | None
    text: str


def _programs() -> Iterator[Finding]:
    for key, found in prerequisites.find_all().items():
        wanted = prerequisites.WANTED[key]
        text = f"{wanted.name}: {found or 'missing — apt-get install ' + wanted.packages[0]}"
        yield Finding(found is not None, text)


def _database_user() -> Finding:
    try:
        prefix, user = run_as.stand_in()
    except MissingProgramsError as missing:
        return Finding(good=False, text=str(missing))
    how = "in a user namespace" if prefix else f"as {user}" if user else "as you"
    return Finding(good=True, text=f"PostgreSQL runs {how}")


def _disk(home: Home) -> Finding:
    place = home.path if home.path.exists() else home.path.parent
    free = shutil.disk_usage(place).free
    return Finding(free > ENOUGH_DISK, f"{free / 1024**3:.1f} GiB free for {home.path}")


def _running(home: Home) -> Iterator[Finding]:
    now = status.asked(home)
    if now["state"] == "down":
        port, reservation = nginx.reserve_port(USUAL_PORT)
        reservation.close()
        taken = "" if port == USUAL_PORT else f" (port {USUAL_PORT} is taken; {port} is free)"
        yield Finding(good=None, text=f"LUNA does not run here{taken}")
        return
    yield Finding(now["state"] == "ready", f"LUNA is {now['state']} at {now['address']}")
    for row in now["services"]:
        if row["state"] != "ready":
            log = home.log(row["name"])
            yield Finding(good=False, text=f"{row['name']} is {row['state']}: see {log}")
        elif row["restarts"]:
            yield Finding(good=None, text=f"{row['name']} was restarted {row['restarts']} times")


def findings(home: Home) -> Iterator[Finding]:
    """Everything looked at, in the order a person would ask."""
    yield Finding(good=True, text=f"Python {sys.version.split()[0]} in {sys.prefix}")
    yield from _programs()
    yield _database_user()
    engine = "answers" if compose.engine_answers() else "does not answer: native processes are used"
    yield Finding(good=None, text=f"Docker {engine}")
    yield _disk(home)
    yield Finding(good=None, text=f"{os.cpu_count()} processors")
    yield from _running(home)


def run(home: Home) -> int:
    """Print the findings; 1 when something is wrong, 3 when a program is missing."""
    faults = 0
    for finding in findings(home):
        sign = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "[blue]·[/blue]"}
        console.print(f"{sign[finding.good]} {finding.text}")
        faults += finding.good is False
    if None in prerequisites.find_all().values():
        return prerequisites.EXIT_MISSING
    return 1 if faults else 0
