"""Run the supervisor, and kill everything it had started when it dies.

    subreaper ── supervisor ── postgres, redis, services, …

When the supervisor dies, the kernel sends each component its death signal, and this process adopts
and kills what a component had started. When this process dies, the kernel sends SIGTERM to the
supervisor, which stops in order. Standard library only, to stay at a few megabytes.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from ops.processes import become_subreaper, children_of, spawn

TERMINATION_TIMEOUT = 2.0  # seconds that components have to obey their death signal


def _reap_all() -> bool:
    """Reap exited children; return True when no child is left."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return False
    return True


def end_descendants() -> None:
    """Wait until the adopted processes have exited; kill them after TERMINATION_TIMEOUT."""
    deadline = time.monotonic() + TERMINATION_TIMEOUT
    while not _reap_all():
        if time.monotonic() > deadline:
            for pid in children_of(os.getpid()):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def main(command: list[str], directory: Path) -> int:
    """Run the supervisor, forward stop signals to it, and return its exit code."""
    become_subreaper()
    # blocked until there is a supervisor to forward them to
    stops = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    supervisor = spawn(
        command, environment=os.environ, directory=directory, death_signal=signal.SIGTERM
    )
    for number in stops:
        signal.signal(number, lambda *_: supervisor.terminate())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, stops)
    code = supervisor.wait()
    end_descendants()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], Path(sys.argv[1])))
