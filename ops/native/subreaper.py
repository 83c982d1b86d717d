"""The supervisor's own supervisor: when it is killed, this ends everything it had started.

    guard ── supervisor ── postgres, redis, services, …

Three threads hold the net: the kernel signals each part when the supervisor dies; what a part had
started itself is adopted by the guard and ended here; and when the guard is killed, the kernel asks
the supervisor to stop in order. Small on purpose: the standard library, a few megabytes.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from ops.processes import adopt_orphans, children_of, spawn

PATIENCE = 2.0  # seconds for an orderly end of what the supervisor left, before it is killed


def _adopted_are_gone() -> bool:
    """Reap what ended; True when no child is left."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return False
    return True


def end_everything() -> None:
    """Wait for the parts to obey the kernel's signal, then kill whatever is left."""
    killing_from = time.monotonic() + PATIENCE
    while not _adopted_are_gone():
        if time.monotonic() > killing_from:
            for pid in children_of(os.getpid()):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def main(command: list[str], directory: Path) -> int:
    """Run the supervisor, pass on requests to stop, and leave nothing behind. Its exit code."""
    adopt_orphans()
    # held back until the supervisor is there to hear of them
    stops = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    supervisor = spawn(
        command, environment=os.environ, directory=directory, death_signal=signal.SIGTERM
    )
    for number in stops:
        signal.signal(number, lambda *_: supervisor.terminate())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, stops)
    code = supervisor.wait()
    end_everything()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], Path(sys.argv[1])))
