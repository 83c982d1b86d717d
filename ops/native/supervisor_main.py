"""The supervisor as a program that the subreaper starts.

`python -S -m ops.native.supervisor_main '{"home": …}'`
"""

import fcntl
import json
import os
import sys
import time
from contextlib import nullcontext
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ops.home import ROOT, Home, open_lock
from ops.native.supervisor import Supervisor
from ops.native.topology import Native, Options
from ops.servers import nginx, run_as

EXIT_ALREADY_RUNS = 75
LOCK_TIMEOUT = 0.5  # seconds


def take_lock(home: Home) -> IO[str] | None:
    """Lock the home until this process ends; return None when another supervisor holds it.

    Retries for LOCK_TIMEOUT, because a status command holds the lock for an instant as well.
    """
    lock = open_lock(home.lock_file)
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                lock.close()
                return None
            time.sleep(0.01)
        else:
            return lock


def supervisor_command(options: Options) -> list[str]:
    """Return the command of subreaper and supervisor; -S: neither needs installed packages."""
    python = [sys.executable, "-S", "-m"]
    # tests set a module with smaller components
    module = os.environ.get("LUNA_SUPERVISE_MODULE", "ops.native.supervisor_main")
    supervisor = [*python, module, json.dumps(asdict(options))]
    return [*python, "ops.native.subreaper", str(ROOT), *supervisor]


def main(options: Options, topology: type[Native] = Native) -> int:
    """Run LUNA in this home until a signal stops it; return the exit code."""
    home = Home(Path(options.home))
    home.make(run_as.unprivileged()[1])
    lock = take_lock(home)
    if lock is None:
        return EXIT_ALREADY_RUNS
    port, reservation = nginx.reserve_port(options.port)
    tls_port, tls_reservation = (
        nginx.reserve_port(options.tls_port) if options.tls_port else (0, nullcontext())
    )
    native = topology(home, replace(options, tls_port=tls_port), port)
    about = {
        "address": native.address,
        "pid": os.getpid(),
        "subreaper": os.getppid(),
        "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "wanted_port": options.port,
        "tls_address": f"https://localhost:{tls_port}" if tls_port else None,
    }
    with lock, reservation, tls_reservation:
        return Supervisor(home, native.components(), about).run()


if __name__ == "__main__":
    sys.exit(main(Options(**json.loads(sys.argv[1]))))
