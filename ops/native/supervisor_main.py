"""The supervisor as a program, started by the subreaper.

`python -S -m ops.native.supervisor_main '{"home": …}'`
"""

import fcntl
import json
import os
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ops.home import ROOT, Home
from ops.native.supervisor import Supervisor
from ops.native.topology import Native, Options
from ops.servers import nginx, run_as

EXIT_ALREADY_RUNS = 75
LOCK_WITHIN = 0.5  # seconds


def take_lock(home: Home) -> IO[str] | None:
    """The home's lock, held until the process ends however it ends; None when another has it.

    Tried for a moment, since whoever asks for the status holds it for an instant too.
    """
    lock = home.lock_file.open("w")
    until = time.monotonic() + LOCK_WITHIN
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                lock.close()
                return None
            time.sleep(0.01)
        else:
            return lock


def guarded_command(options: Options) -> list[str]:
    """The words that start guard and supervisor; -S: neither needs installed packages."""
    python = [sys.executable, "-S", "-m"]
    module = os.environ.get(
        "LUNA_SUPERVISE_MODULE", "ops.native.supervisor_main"
    )  # a smaller one in tests
    supervisor = [*python, module, json.dumps(asdict(options))]
    return [*python, "ops.native.subreaper", str(ROOT), *supervisor]


def main(options: Options, topology: type[Native] = Native) -> int:
    """Run LUNA in this home until told to stop."""
    home = Home(Path(options.home))
    home.make(run_as.stand_in()[1])
    lock = take_lock(home)
    if lock is None:
        return EXIT_ALREADY_RUNS
    port, reservation = nginx.reserve_port(options.port)
    native = topology(home, options, port)
    about = {
        "address": native.address,
        "pid": os.getpid(),
        "guard": os.getppid(),
        "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "wanted_port": options.port,
    }
    with lock, reservation:
        return Supervisor(home, native.parts(), about).run()


if __name__ == "__main__":
    sys.exit(main(Options(**json.loads(sys.argv[1]))))
