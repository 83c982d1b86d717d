# noqa: INP001 (a script that is mounted into its container)
"""Start a simulated robot: `python simulated_robot.py 1 10` (number, speed factor).

The demo library has written its key and its initial position to /robots.
"""

import json
import os
import sys
from pathlib import Path

ROBOTS = Path("/robots")
GATEWAY = "http://nginx:8080"


def command(number: int, speed: str, robots: Path = ROBOTS) -> list[str]:
    """Return the command of the bridge; ops/native/topology.py builds the same natively."""
    key = sorted(robots.glob("*.key"))[number - 1]
    start = json.loads(key.with_suffix(".json").read_text(encoding="utf-8"))
    words = ["bridge", "run", "--driver", "simulator", "--url", GATEWAY]
    words += ["--key-file", str(key), "--speed", speed]
    words += ["--state-dir", str(robots / key.stem)]
    for field in ("waypoint", "x", "y", "floor"):
        words += [f"--start-{field}", str(start[field])]
    return [sys.executable, "-m", *words]


if __name__ == "__main__":
    os.execv(sys.executable, command(int(sys.argv[1]), sys.argv[2]))  # noqa: S606 (fixed words)
