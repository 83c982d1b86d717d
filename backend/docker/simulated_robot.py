# noqa: INP001 (a script that is mounted into its container, no module of ours)
"""Starts the simulated robot with this number: `python simulated_robot.py 1 10` (number, speed).

Waits for nothing: the demo library has left its key and the place where it stands in /robots.
"""

import json
import os
import sys
from pathlib import Path

ROBOTS = Path("/robots")
GATEWAY = "http://nginx:8080"


def command(number: int, speed: str, robots: Path = ROBOTS) -> list[str]:
    """The bridge's command line, as ops/native/topology.py makes it natively."""
    key = sorted(robots.glob("*.key"))[number - 1]
    start = json.loads(key.with_suffix(".json").read_text(encoding="utf-8"))
    words = ["bridge", "run", "--driver", "simulator", "--url", GATEWAY]
    words += ["--key-file", str(key), "--speed", speed]
    words += ["--state-dir", str(robots / key.stem)]
    for field in ("waypoint", "x", "y", "floor"):
        words += [f"--start-{field}", str(start[field])]
    return [sys.executable, "-m", *words]


if __name__ == "__main__":
    os.execv(sys.executable, command(int(sys.argv[1]), sys.argv[2]))  # noqa: S606 (our own words)
