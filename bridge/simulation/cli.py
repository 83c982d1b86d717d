"""The command `simulate`: many simulated robots in one process, with faults on demand."""

import asyncio
import contextlib
import json
import resource
import signal
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from bridge.arguments import at_least
from bridge.logs import Log

FAILED = 2
CONNECTIONS_PER_ROBOT = 8  # at most: five clients, a state file, a journal, one to spare


def add_parser(commands: Any) -> None:
    simulate: ArgumentParser = commands.add_parser(
        "simulate",
        help="drive simulated robots until stopped",
        epilog="Each robot needs NAME.key and NAME.json {waypoint, x, y, floor} in the directory.",
    )
    simulate.set_defaults(command=run)
    add = simulate.add_argument
    add("--url", required=True, help="such as http://127.0.0.1:8080")
    add("--directory", type=Path, required=True, help="of the robots' keys and states")
    add("--count", "--robots", type=int, help="robots at most; default: all")
    add("--skip", type=int, default=0, help="first robots that other processes drive")
    add("--speed", type=at_least(0.01), default=1.0, help="1: a real robot's")
    add("--range-m", type=at_least(1), default=4000.0, help="metres per full battery")
    add("--faults", type=Path, help="script: a JSON list of faults")
    add("--seed", type=int, default=0, help="the same seed decides the same faults")
    add("--control", type=int, help="port of the HTTP control on 127.0.0.1; 0: any")
    add("--log-format", choices=["json", "console"], default="json")


def run(options: Namespace) -> int:
    for unused in ("httpx._main", "sniffio"):  # the latter is looked for at each request
        sys.modules.setdefault(unused, None)  # type: ignore[arg-type]  # None: do not import
    from bridge.protocol.client import KeyFileMissingError
    from bridge.simulation import fleet
    from bridge.simulation.faults import InvalidScriptError, parse_script

    log = Log(options.log_format)
    try:
        script = parse_script(json.loads(options.faults.read_text())) if options.faults else ()
        chosen = fleet.FleetOptions(
            options.url, options.directory, options.speed, options.range_m,
            options.seed, options.count, options.skip,
        )  # fmt: skip
        robots = fleet.robots_of(chosen, log)
        _allow_connections(len(robots))
        with _control(robots, options, log):
            asyncio.run(_until_signal(fleet.run(robots, options.directory, script)))
    except (
        OSError, ValueError, InvalidScriptError, KeyFileMissingError, fleet.StateInUseError
    ) as error:  # fmt: skip
        log.error("simulation.failed", reason=str(error))
        return FAILED
    return 0


def _control(robots: Any, options: Namespace, log: Log) -> contextlib.AbstractContextManager[Any]:
    if options.control is None:
        return contextlib.nullcontext()
    from bridge.simulation import control

    @contextlib.contextmanager
    def serving() -> Any:
        with control.serving(robots, options.control) as port:
            log.info("control.serving", url=f"http://{control.HOST}:{port}")
            yield

    return serving()


async def _until_signal(work: Any) -> None:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _allow_connections(robots: int) -> None:
    """Raise the limit of open files as far as the robots need and the system permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 100 + robots * CONNECTIONS_PER_ROBOT
    if hard != resource.RLIM_INFINITY:
        needed = min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
