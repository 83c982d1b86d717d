"""Start programs that end with their parent, and find processes by /proc.

Standard library only: subreaper and supervisor run without site-packages, to stay small.
"""

import ctypes
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36
PR_CAPBSET_DROP = 24
MAX_CAPABILITY = 63  # of the kernel's interface; unknown ones are refused and ignored
CAPABILITY_VERSION_3 = 0x20080522
# ignored in a background job of a shell; children would inherit that
RESET_SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM)

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def become_subreaper() -> None:
    """Adopt every descendant whose parent exits (PR_SET_CHILD_SUBREAPER)."""
    if _libc is not None:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def set_death_signal(parent: int, number: signal.Signals) -> None:
    """Have the kernel send `number` to this process when `parent` dies; exit if it has."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)


def drop_capabilities(kept: Collection[int] = ()) -> None:
    """Give up root's capabilities for this process and all that it starts; no-op for others."""
    if _libc is None or os.geteuid() != 0:
        return
    for number in set(range(MAX_CAPABILITY + 1)) - set(kept):
        _libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
    mask = sum(1 << number for number in kept)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    # effective, permitted, inheritable; first the lower halves
    if _libc.capset(header, struct.pack("=6I", low, low, 0, high, high, 0)) != 0:
        raise OSError(ctypes.get_errno(), "capset failed")


def set_command_line(words: Sequence[str]) -> None:
    """Overwrite the command line that `ps` shows, up to the length of the old one."""
    fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    first, last = int(fields[45]), int(fields[46])  # arg_start and arg_end
    line = "\0".join(words).encode()[: last - first - 1]
    with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
        memory.seek(first)
        memory.write(line.ljust(last - first, b"\0"))
    if _libc is not None:
        _libc.prctl(PR_SET_NAME, words[-1].encode(), 0, 0, 0)


def _prepare_child(
    parent: int, death_signal: signal.Signals | None, capabilities: Collection[int] | None
) -> None:
    """Reset signals, set the death signal and drop capabilities, in the child before exec."""
    for number in RESET_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if death_signal is not None:
        set_death_signal(parent, death_signal)
    if capabilities is not None:
        drop_capabilities(capabilities)


def spawn(  # noqa: PLR0913 — each parameter differs between programs
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    directory: Path,
    log: Path | None = None,
    user: str | None = None,
    death_signal: signal.Signals | None = signal.SIGKILL,
    new_session: bool = True,
    capabilities: Collection[int] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program, by default in a new session, that gets `death_signal` when its parent dies.

    Call it from the main thread only: Linux ties the signal to the thread that forked.
    The signal is set after the switch to `user`, because changing the user clears it.
    `capabilities` are those that a program started by root keeps; None: all.
    """
    prepare = partial(_prepare_child, os.getpid(), death_signal, capabilities)
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
            preexec_fn=prepare,  # noqa: PLW1509 — the callers have one thread
        )
    finally:
        if output:
            output.close()


def kill_group(leader: int, number: signal.Signals) -> None:
    """Signal a process group; one that has ended is no error."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return


@dataclass(frozen=True)
class ProcessInfo:
    """A process in /proc. `started` is in clock ticks since boot; pids are reused."""

    pid: int
    parent: int
    session: int
    started: int


def read_process(pid: int) -> ProcessInfo | None:
    """Return the process with this pid; None when there is none or it is a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name before may hold spaces and brackets
    if fields[0] in "ZX":
        return None
    return ProcessInfo(pid, int(fields[1]), int(fields[3]), int(fields[19]))


def is_stopped(pid: int) -> bool:
    """Return whether a process or one of its descendants is stopped by a signal."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return text[text.rindex(")") + 2] == "T" or any(map(is_stopped, children_of(pid)))


def all_processes() -> list[ProcessInfo]:
    """Return every visible process but zombies."""
    try:
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    except FileNotFoundError:  # no /proc: not Linux
        return []
    return [process for pid in pids if (process := read_process(pid))]


def working_directory(pid: int) -> Path | None:
    """Return the working directory of a process, or None when it may not be read."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


def children_of(parent: int) -> list[int]:
    """Return the pids of direct children, adopted ones included, without zombies."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{parent}/task").glob("*/children")]
    except OSError:  # a thread or the process has ended
        lists = []
    if lists:
        return [pid for pid in map(int, " ".join(lists).split()) if read_process(pid)]
    return [
        process.pid for process in all_processes() if process.parent == parent
    ]  # an older kernel
