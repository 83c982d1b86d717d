"""The command line of a bridge: `enroll` once, then `run`; `simulate` drives many robots."""

import asyncio
import fcntl
import os
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bridge import __version__
from bridge.arguments import at_least
from bridge.drivers.base import Driver
from bridge.drivers.nav2 import options as nav2
from bridge.logs import Log
from bridge.simulation import cli as simulation

REQUIRED = ("url", "key_file", "state_dir")  # of run
FAILED = 2
ALREADY_RUNNING = 4


def main() -> None:
    """Run the command that the arguments name."""
    words = sys.argv[1:]
    if words and words[0].startswith("--") and words[0] != "--help":
        words = ["simulate" if "--robots" in words else "run", *words]  # the usual commands
    options = _parser().parse_args(words)
    sys.exit(options.command(options))


def _parser() -> ArgumentParser:
    parser = ArgumentParser("luna-bridge", description="The robot's side of LUNA.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    enroll = commands.add_parser("enroll", help="exchange a one-time code for this robot's key")
    enroll.set_defaults(command=_enroll)
    enroll.add_argument("--code", required=True, help="one-time code, created by an admin")

    run = commands.add_parser(
        "run",
        help="serve one robot until stopped",
        epilog="Exit codes: 0 stopped by a signal, 2 something needed is missing, 3 a newer bridge "
        "of the same robot took over, 4 the state directory is in use.",
    )
    run.set_defaults(command=_run)
    for command, required in ((enroll, True), (run, False)):
        add = command.add_argument
        add("--url", required=required, help="such as http://127.0.0.1:8080")
        add("--key-file", type=Path, required=required, help="file of the robot's key")
    run.add_argument("--state-dir", type=Path, help="for the journal and the state")
    run.add_argument("--driver", choices=["simulator", "nav2"], default="simulator")
    run.add_argument("--log-format", choices=["json", "console"], default="json")
    _add_simulator_options(run)
    nav2.add(run)
    simulation.add_parser(commands)
    return parser


def _add_simulator_options(run: ArgumentParser) -> None:
    options = run.add_argument_group("simulator")
    options.add_argument("--speed", type=at_least(0.01), default=1.0, help="1: a real robot's")
    options.add_argument("--start-waypoint", help="waypoint of the first start")
    options.add_argument("--start-x", type=float, default=0.0, help="metres")
    options.add_argument("--start-y", type=float, default=0.0, help="metres")
    options.add_argument("--start-floor", type=int, default=1, help="floor of the map")
    options.add_argument("--range-m", type=at_least(1), default=4000.0, help="per full battery")


def _enroll(options: Namespace) -> int:
    from bridge.protocol.enrollment import EnrollmentFailedError, enroll

    try:
        robot = asyncio.run(enroll(options.url, options.code, options.key_file, __version__))
    except EnrollmentFailedError as error:
        print(error, file=sys.stderr)
        return FAILED
    print(f"Enrolled as {robot}; the key is in {options.key_file}.")
    return 0


def _run(options: Namespace) -> int:
    if options.driver == "nav2":
        from bridge.drivers.nav2.ros import RosMissingError, ensure_installed

        try:
            ensure_installed()
        except RosMissingError as missing:
            print(missing, file=sys.stderr)
            return FAILED
    if absent := [name for name in REQUIRED if getattr(options, name) is None]:
        words = ", ".join("--" + name.replace("_", "-") for name in absent)
        print(f"The bridge needs {words}; see: python -m bridge run --help", file=sys.stderr)
        return FAILED
    log = Log(options.log_format)
    with _exclusive(options.state_dir, log):
        driver = nav2.make(options) if options.driver == "nav2" else _simulator(options)
        return _serve(options, driver, log)


def _simulator(options: Namespace) -> Driver:
    from bridge.drivers.simulator import Place, Simulator

    x, y, floor = options.start_x, options.start_y, options.start_floor
    start = Place(x, y, 0.0, floor, options.start_waypoint)
    file = options.state_dir / "robot.json"
    return Simulator(start, options.speed, file, options.range_m)


def _serve(options: Namespace, driver: Driver, log: Log) -> int:
    # Keeps httpx from importing its own command line and with it Rich and Pygments: 6 MB.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: do not import
    from bridge.protocol import session
    from bridge.protocol.client import Key, KeyFileMissingError, make_http

    try:
        key = Key(options.key_file)
    except KeyFileMissingError as error:
        log.error("key.missing", reason=str(error))
        return FAILED

    connect = partial(make_http, options.url)

    async def serve_until_signal() -> int:
        serving = asyncio.ensure_future(
            session.run(
                connect,
                key,
                driver,
                options.state_dir / "journal.jsonl",
                log,
            )
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, serving.cancel)
        try:
            return await serving
        except asyncio.CancelledError:
            log.info("bridge.ended")
            return session.ENDED

    log.info("bridge.started", version=__version__, url=options.url, pid=os.getpid())
    return asyncio.run(serve_until_signal())


@contextmanager
def _exclusive(state_dir: Path, log: Log) -> Iterator[None]:
    """Exit if another bridge uses the state directory: two would mix their journals."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.error("bridge.already_running", reason=f"Another bridge uses {state_dir}.")
            sys.exit(ALREADY_RUNNING)
        yield
