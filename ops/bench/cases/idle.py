"""Memory and processor time of the whole system when nothing happens, without robots.

The memory is the proportional set size of all processes. The comparison is PostgreSQL, Redis and
Nginx alone.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path

from ops.bench import Result
from ops.bench.system import System

_MAX_MEMORY = 600.0  # MB
_MAX_CPU = 3.0  # per cent of a core
_SETTLE = 10.0  # seconds
_SERVERS = ("postgres", "redis-server", "valkey-server", "nginx")


def _cpu(pids: Iterable[int]) -> float:
    """Return the processor time used so far, in seconds."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _is_server(pid: int) -> bool:
    name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    return name.startswith(_SERVERS)


def run(system: System, *, short: bool) -> list[Result]:
    """Wait until the system has settled, then measure."""
    time.sleep(2.0 if short else _SETTLE)
    pids = system.pids()
    servers = [pid for pid in pids if _is_server(pid)]
    used, used_by_servers, began = _cpu(pids), _cpu(servers), time.monotonic()
    time.sleep(5.0 if short else 30.0)
    seconds = time.monotonic() - began
    cpu = (_cpu(pids) - used) / seconds * 100
    servers_cpu = (_cpu(servers) - used_by_servers) / seconds * 100
    memory, servers_memory = system.memory().total, system.memory(servers).total
    return [
        Result(
            "memory",
            memory,
            "MB",
            at_most=_MAX_MEMORY,
            comparison=f"servers alone: {servers_memory:.0f} MB",
            details={"processes": len(pids)},
        ),
        Result(
            "processor",
            cpu,
            "% of a core",
            at_most=_MAX_CPU,
            comparison=f"servers alone: {servers_cpu:.1f} %",
        ),
    ]
