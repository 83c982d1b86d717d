"""The simulated robots of the demo library: a process each, or one process for many."""

import sys
from collections.abc import Callable

from ops.home import Home, read_json
from ops.native.component import Component
from ops.servers import environment

TRACES_ENDPOINT = "LUNA_TRACES_ENDPOINT"  # the only setting that a bridge reads
MAX_SEPARATE = 8  # more robots than these share one process


def components(home: Home, address: str, count: int, speed: float) -> list[Component]:
    """Return the components that drive so many robots."""
    common = ["--url", address, "--speed", str(speed)]
    if count <= MAX_SEPARATE:
        return [_robot(home, address, common, number) for number in range(1, count + 1)]
    words = ["simulate", "--directory", str(home.robots), "--count", str(count), *common]
    return [_component("robots", address, lambda: [sys.executable, "-m", "bridge", *words])]


def _robot(home: Home, address: str, common: list[str], number: int) -> Component:
    def command() -> list[str]:
        key = home.robots / f"luna-bot-{number}.key"
        start = read_json(key.with_suffix(".json"))
        words = ["run", "--driver", "simulator", *common, "--key-file", str(key)]
        words += ["--state-dir", str(home.robots / key.stem)]
        for field in ("waypoint", "x", "y", "floor"):
            words += [f"--start-{field}", str(start[field])]
        return [sys.executable, "-m", "bridge", *words]

    return _component(f"robot-{number}", address, command)


def _component(name: str, address: str, command: Callable[[], list[str]]) -> Component:
    return Component(
        name=name,
        command=command,
        ready=lambda: True,
        environment={
            name: value
            for name, value in environment.base().items()
            if not name.startswith("LUNA_") or name == TRACES_ENDPOINT
        },
        stop_timeout=5.0,
        endpoint=address,
    )
