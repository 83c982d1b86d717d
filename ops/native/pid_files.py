"""Pid files of the supervisor's children, for the next supervisor; and the size of their logs."""

import json
import os
import shutil
import signal
import time
from typing import Any

from ops.home import Home, read_json, write_atomically
from ops.processes import ProcessInfo, all_processes, read_process, working_directory

MAX_LOG_SIZE = 32 * 1024 * 1024  # bytes
KILL_TIMEOUT = 5.0  # seconds


def write(home: Home, name: str, pid: int) -> None:
    """Write a child's pid and start time; pids are reused."""
    process = read_process(pid)
    started = process.started if process else 0
    write_atomically(home.work / f"{name}.json", json.dumps({"pid": pid, "started": started}))


def delete(home: Home, name: str) -> None:
    (home.work / f"{name}.json").unlink(missing_ok=True)


def kill_leftovers(home: Home) -> None:
    """Kill what an earlier supervisor started and could not stop.

    A process belongs to this home only if it works in a directory of this home, and it, or the
    leader of its session, has a pid file. A pid alone may belong to another program by now.
    """
    deadline = time.monotonic() + KILL_TIMEOUT
    while (left := _leftovers(home)) and time.monotonic() < deadline:
        for process in left:
            os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.02)
    for file in home.work.glob("*.json"):
        file.unlink()


def _leftovers(home: Home) -> list[ProcessInfo]:
    recorded = {}
    for file in home.work.glob("*.json"):
        entry = read_json(file)
        recorded[entry.get("pid")] = entry.get("started")
    if not recorded:
        return []
    own = {home.path.resolve(), home.postgres.resolve(), home.sockets.resolve()}
    return [
        process
        for process in all_processes()
        if (recorded.get(process.pid) == process.started or _of_session(process, recorded))
        and (directory := working_directory(process.pid))
        and any(directory.is_relative_to(folder) for folder in own)
    ]


def _of_session(process: ProcessInfo, recorded: dict[Any, Any]) -> bool:
    """Whether the leader of its session is recorded and has ended, or is the recorded process."""
    if process.session not in recorded:
        return False
    leader = read_process(process.session)
    return leader is None or leader.started == recorded[process.session]


def rotate_logs(home: Home) -> None:
    """Copy a log above MAX_LOG_SIZE aside and truncate it; its writer keeps it open."""
    for log in home.logs.glob("*.log"):
        if log.stat().st_size > MAX_LOG_SIZE:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)
