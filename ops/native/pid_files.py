"""What the supervisor writes down of its children, for whoever starts after it; and their logs."""

import json
import os
import shutil
import signal
import time
from typing import Any

from ops.home import Home, read_json, write_whole
from ops.processes import Seen, everything, look, working_directory

LARGEST_LOG = 32 * 1024 * 1024
ENDING_WITHIN = 5.0  # seconds


def remember(home: Home, name: str, pid: int) -> None:
    """Write down a child, with the moment it started: pids are used again."""
    seen = look(pid)
    started = seen.started if seen else 0
    write_whole(home.work / f"{name}.json", json.dumps({"pid": pid, "started": started}))


def forget(home: Home, name: str) -> None:
    (home.work / f"{name}.json").unlink(missing_ok=True)


def end_leftovers(home: Home) -> None:
    """End what an earlier supervisor started and could not stop.

    A process is ours only if two things hold: it works in a directory of this home, and it, or the
    leader of its session, is one that was written down. A pid alone may be a stranger's by now.
    """
    until = time.monotonic() + ENDING_WITHIN
    while (left := _leftovers(home)) and time.monotonic() < until:
        for seen in left:
            os.kill(seen.pid, signal.SIGKILL)
        time.sleep(0.02)
    for note in home.work.glob("*.json"):
        note.unlink()


def _leftovers(home: Home) -> list[Seen]:
    written = {}
    for note in home.work.glob("*.json"):
        entry = read_json(note)
        written[entry.get("pid")] = entry.get("started")
    if not written:
        return []
    own = {home.path.resolve(), home.postgres.resolve(), home.sockets.resolve()}
    return [
        seen
        for seen in everything()
        if (written.get(seen.pid) == seen.started or _leader_is_gone(seen, written))
        and (place := working_directory(seen.pid))
        and any(place.is_relative_to(folder) for folder in own)
    ]


def _leader_is_gone(seen: Seen, written: dict[Any, Any]) -> bool:
    if seen.session not in written:
        return False
    leader = look(seen.session)
    return leader is None or leader.started == written[seen.session]


def keep_logs_small(home: Home) -> None:
    """Move a grown log aside. It is emptied in place: its writer appends and keeps it open."""
    for log in home.logs.glob("*.log"):
        if log.stat().st_size > LARGEST_LOG:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)
