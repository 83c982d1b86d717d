"""Print status and logs to the terminal."""

import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ops.home import Home, last_lines

console = Console(highlight=False, soft_wrap=True)
COLOURS = {"ready": "green", "down": "red", "unresponsive": "red"}
POLL_INTERVAL = 0.2  # seconds


def coloured(state: str) -> str:
    colour = COLOURS.get(state, "yellow")
    return f"[{colour}]{state}[/{colour}]"


def status(now: dict[str, Any]) -> None:
    console.print(f"LUNA is {coloured(now['state'])} {now['address'] or ''}")
    if now["state"] == "down":
        return
    table = Table("component", "state", "pid", "restarts", "for", "endpoint", box=None)
    for row in now["services"]:
        table.add_row(
            row["name"],
            coloured(row["state"]),
            str(row["pid"] or ""),
            str(row["restarts"]),
            _for(row["since"]),
            Path(row["endpoint"] or "").name,
        )
    console.print(table)
    print_accounts(now["accounts"])


def _for(since: str | None) -> str:
    """Return the time since then, to the second."""
    if not since:
        return ""
    return str(datetime.now(UTC) - datetime.fromisoformat(since)).partition(".")[0]


def print_accounts(rows: list[dict[str, str]]) -> None:
    """Print the accounts of the demo library, if it is loaded."""
    if not rows:
        return
    table = Table("role", "email", "password", title="Accounts of the demo library", box=None)
    for account in rows:
        table.add_row(account["role"], account["email"], account["password"])
    console.print(table)


def logs(home: Home, component: str | None, *, follow: bool, lines: int) -> int:
    """Print the last lines of the logs; with `follow`, new lines until Ctrl-C."""
    found = sorted(home.logs.glob("*.log"))
    chosen = [log for log in found if component is None or log.stem == component]
    if not chosen:
        names = ", ".join(log.stem for log in found) or "none yet"
        print(f"No log of {component or 'any component'}. Logs: {names}", file=sys.stderr)
        return 1
    width = max(len(log.stem) for log in chosen)
    ends = {log: log.stat().st_size for log in chosen}
    for log in chosen:
        _print(log, last_lines(log, lines), width, alone=len(chosen) == 1)
    try:
        while follow:
            time.sleep(POLL_INTERVAL)
            for log in chosen:
                ends[log] = _print_new(log, ends[log], width, alone=len(chosen) == 1)
    except KeyboardInterrupt:
        return 0
    return 0


def _print_new(log: Path, start: int, width: int, *, alone: bool) -> int:
    """Print the complete lines after `start`; return the position after them."""
    size = log.stat().st_size
    start = start if size >= start else 0  # it was truncated
    with log.open("rb") as file:
        file.seek(start)
        fresh = file.read()
    whole = fresh.rfind(b"\n") + 1
    _print(log, fresh[:whole].decode(errors="replace").splitlines(), width, alone=alone)
    return start + whole


def _print(log: Path, lines: Iterable[str], width: int, *, alone: bool) -> None:
    for line in lines:
        print(line if alone else f"{log.stem:<{width}} │ {line}", flush=True)
