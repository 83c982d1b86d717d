"""Starting programs that cannot outlive us, and recognising the ones that did.

Standard library only: the guard and the supervisor run without site-packages, to stay small.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36
# a shell that runs us in the background has these ignored, which children would inherit
CHOSEN_BY_SHELLS = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM)

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, so that it can be ended."""
    if _libc is not None:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with(parent: int, number: signal.Signals) -> None:
    """Have the kernel send us `number` when our parent dies."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask to be told
            os._exit(1)


def rename(words: Sequence[str]) -> None:
    """Show these words as our command line, as far as the room of the old one goes."""
    fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    first, last = int(fields[45]), int(fields[46])  # where the kernel keeps the command line
    line = "\0".join(words).encode()[: last - first - 1]
    with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
        memory.seek(first)
        memory.write(line.ljust(last - first, b"\0"))
    if _libc is not None:
        _libc.prctl(PR_SET_NAME, words[-1].encode(), 0, 0, 0)


def _tie(parent: int, death_signal: signal.Signals | None) -> None:
    """In the child, before it becomes another program."""
    for number in CHOSEN_BY_SHELLS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if death_signal is not None:
        die_with(parent, death_signal)


def spawn(  # noqa: PLR0913 — these are the things that differ between programs
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    directory: Path,
    log: Path | None = None,
    user: str | None = None,
    death_signal: signal.Signals | None = signal.SIGKILL,
    new_session: bool = True,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own that is sent `death_signal` when we die.

    Call it from the main thread only: Linux ties the signal to the thread that forked.
    The signal is set after the switch to `user`, because changing identity clears it.
    """
    tie_to_parent = partial(_tie, os.getpid(), death_signal)
    output = log.open("ab") if log else None
    try:
        return subprocess.Popen(  # noqa: S603 — our own commands, never a shell string
            list(command),
            env=dict(environment),
            cwd=directory,
            stdin=subprocess.DEVNULL if new_session else None,
            stdout=output,
            stderr=output,
            start_new_session=new_session,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            preexec_fn=tie_to_parent,  # noqa: PLW1509 — the callers have one thread
        )
    finally:
        if output:
            output.close()


def kill_group(leader: int, number: signal.Signals) -> None:
    """Signal a whole group; one that is already gone is no error."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return


@dataclass(frozen=True)
class Seen:
    """A process as /proc shows it.

    `started` (clock ticks since boot) tells two uses of one number apart.
    """

    pid: int
    parent: int
    session: int
    started: int


def look(pid: int) -> Seen | None:
    """The living process with this pid; None when there is none (a zombie is none)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name before may hold spaces and brackets
    if fields[0] in "ZX":
        return None
    return Seen(pid, int(fields[1]), int(fields[3]), int(fields[19]))


def everything() -> list[Seen]:
    """Every living process that can be seen."""
    try:
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    except FileNotFoundError:  # no /proc: not Linux
        return []
    return [seen for pid in pids if (seen := look(pid))]


def working_directory(pid: int) -> Path | None:
    """Where a process works, or None when that may not be known."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


def children_of(parent: int) -> list[int]:
    """The direct children that live, adopted ones included."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{parent}/task").glob("*/children")]
    except OSError:  # a thread or the process ended meanwhile
        lists = []
    if lists:
        return [pid for pid in map(int, " ".join(lists).split()) if look(pid)]
    return [seen.pid for seen in everything() if seen.parent == parent]  # an older kernel
