"""The command line of a bridge: enroll once, then run."""

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from bridge import __version__
from bridge.drivers.base import Driver
from bridge.logs import Log

app = typer.Typer(
    name="luna-bridge",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help, and no Rich in the memory of every robot
    help="The robot's side of LUNA.",
)

FAILED = 2
ALREADY_RUNS = 4

SIMULATOR: Literal["simulator"] = "simulator"

Url = Annotated[str, typer.Option(help="Where LUNA answers, such as http://127.0.0.1:8080")]
KeyFile = Annotated[Path, typer.Option(help="The file that holds the robot's key")]


@app.command()
def enroll(
    url: Url,
    code: Annotated[str, typer.Option(help="The one-time code that an admin got for this robot")],
    key_file: KeyFile,
) -> None:
    """Exchange a one-time code for this robot's key, and keep the key in a file."""
    from bridge.protocol.enrollment import EnrolmentFailedError, enrol

    try:
        robot = asyncio.run(enrol(url, code, key_file, __version__))
    except EnrolmentFailedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error
    typer.echo(f"Enrolled as {robot}; the key is in {key_file}.")


@app.command()
def run(  # noqa: PLR0913, PLR0917  each is an option of the command
    url: Url,
    key_file: KeyFile,
    state_dir: Annotated[Path, typer.Option(help="Where the bridge keeps its journal and state")],
    driver: Annotated[Literal["simulator"], typer.Option(help="Which robot it drives")] = SIMULATOR,
    speed: Annotated[
        float, typer.Option(min=0.01, help="Simulator: how many times as fast as a real robot")
    ] = 1.0,
    start_waypoint: Annotated[
        str | None, typer.Option(help="Simulator: the waypoint it stands at the first time")
    ] = None,
    start_x: Annotated[float, typer.Option(help="Simulator: metres")] = 0.0,
    start_y: Annotated[float, typer.Option(help="Simulator: metres")] = 0.0,
    start_floor: Annotated[int, typer.Option(help="Simulator: floor of the map")] = 1,
    range_m: Annotated[
        float, typer.Option(min=1, help="Simulator: metres that a full battery lasts")
    ] = 4000.0,
    log_format: Annotated[Literal["json", "console"], typer.Option()] = "json",
) -> None:
    """Serve one robot until stopped.

    Ends with 0 when told to stop, 2 when something needed is missing, 3 when a newer bridge of
    the same robot has taken over, 4 when this state directory is in use.
    """
    log = Log(log_format)
    with _only_one(state_dir, log):
        from bridge.drivers.simulator import Place, Simulator

        start = Place(start_x, start_y, 0.0, start_floor, start_waypoint)
        drivers: dict[str, Callable[[], Driver]] = {
            SIMULATOR: lambda: Simulator(start, speed, state_dir / "robot.json", range_m)
        }
        robot = drivers[driver]()
        sys.exit(_serve(url, key_file, state_dir, robot, log))


def _serve(url: str, key_file: Path, state_dir: Path, driver: Driver, log: Log) -> int:
    # httpx drags its own command line along, and with it Rich and Pygments: 6 MB a robot
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: not there
    from bridge.protocol import session
    from bridge.protocol.client import Key, KeyFileMissingError

    try:
        key = Key(key_file)
    except KeyFileMissingError as error:
        log.alarm("key.missing", reason=str(error))
        return FAILED

    async def serve_until_told() -> int:
        serving = asyncio.ensure_future(
            session.run(url, key, driver, state_dir / "journal.jsonl", log)
        )
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, serving.cancel)
        try:
            return await serving
        except asyncio.CancelledError:
            log.info("bridge.ended")
            return session.ENDED

    log.info("bridge.started", version=__version__, url=url, pid=os.getpid())
    return asyncio.run(serve_until_told())


@contextmanager
def _only_one(state_dir: Path, log: Log) -> Iterator[None]:
    """Two bridges on one state directory would mix their journals: the second one ends."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.alarm("bridge.already_runs", reason=f"Another bridge uses {state_dir}.")
            sys.exit(ALREADY_RUNS)
        yield
