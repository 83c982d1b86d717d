"""`luna test`: real PostgreSQL and Redis of our own for the length of one run, then gone."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from ops.home import ROOT
from ops.processes import adopt_orphans, children_of, kill_group, spawn
from ops.servers import prerequisites, probes, redis_server, run_as
from ops.servers.postgres import Cluster

START_WITHIN = 30.0  # seconds
STOP_WITHIN = 10.0
SUPERUSER_PASSWORD = "only-for-tests"  # noqa: S105 — of a server that lives for one run


class NotStartedError(Exception):
    """A server for the tests did not come up; the message holds its last words."""


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    until = time.monotonic() + START_WITHIN
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            raise NotStartedError(log.read_text(errors="replace")[-2000:])
        time.sleep(0.02)


def _stop(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    process.send_signal(number)
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        kill_group(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _serving(
    command: Sequence[str], folder: Path, ready: Callable[[], bool], stop: signal.Signals
) -> Iterator[None]:
    log = folder / "server.log"
    process = spawn(
        command,
        environment=os.environ,
        directory=folder,
        log=log,
        user=run_as.stand_in()[1],
        death_signal=stop,
    )
    try:
        _wait(process, ready, log)
        yield
    finally:
        _stop(process, stop)


def _folder(base: Path, name: str) -> Path:
    folder = base / name
    folder.mkdir(mode=0o700)
    if user := run_as.stand_in()[1]:
        base.chmod(0o711)
        shutil.chown(folder, user, user)
    return folder


def _make_cluster(cluster: Cluster, log: Path) -> None:
    password = cluster.sockets / "password"
    password.write_text(SUPERUSER_PASSWORD, encoding="ascii")
    password.chmod(0o644)  # in a private folder, and read by the stand-in user
    made = spawn(
        cluster.make_command(password, forgetful=True),
        environment=os.environ,
        directory=cluster.sockets,
        log=log,
        user=run_as.stand_in()[1],
    )
    if made.wait() != 0:
        raise NotStartedError(log.read_text(errors="replace")[-2000:])


@contextmanager
def throw_away_servers(programs: prerequisites.Programs) -> Iterator[dict[str, str]]:
    """PostgreSQL and Redis in a temporary folder; gives the environment that tests read."""
    with ExitStack() as stack:
        # short, since the paths of sockets are
        base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="luna-t-")))
        database, memory = _folder(base, "pg"), _folder(base, "redis")
        cluster = Cluster(programs.postgres, database / "data", database)
        _make_cluster(cluster, base / "initdb.log")
        command = cluster.start_command(forgetful=True)
        answers = partial(probes.postgres_answers, cluster.socket)
        stack.enter_context(_serving(command, database, answers, signal.SIGINT))
        socket = memory / "redis.sock"
        command = redis_server.start_command(programs.redis, socket, memory, forgetful=True)
        answers = partial(probes.redis_answers, str(socket))
        stack.enter_context(_serving(command, memory, answers, signal.SIGTERM))
        yield {
            "LUNA_TEST_DATABASE_URL": cluster.url("postgres", SUPERUSER_PASSWORD, "postgres"),
            "LUNA_TEST_REDIS_URL": f"unix://{socket}",
            "LUNA_TEST_POSTGRES_BIN": str(programs.postgres),
            "LUNA_TEST_REDIS_SERVER": str(programs.redis),
            "LUNA_TEST_NGINX": str(programs.nginx),
        }


SUITES: dict[str, list[str]] = {
    "default": ["-m", "not slow"],
    "unit": ["-m", "unit"],
    "api": ["-m", "api"],
    "e2e": ["-m", "e2e"],
    "chaos": ["tests/chaos"],
    "all": [],
}


def run(suite: str, arguments: Sequence[str]) -> int:
    """Run pytest against servers of its own; its exit code. Nothing outlives the run."""
    adopt_orphans()
    signal.signal(signal.SIGTERM, _leave)
    programs = prerequisites.ensure()
    try:
        return _run(programs, [*SUITES[suite], *arguments])
    except NotStartedError as failed:
        print(f"A server for the tests did not start:\n{failed}", file=sys.stderr)
        return 1


def _run(programs: prerequisites.Programs, words: Sequence[str]) -> int:
    with throw_away_servers(programs) as environment:
        servers = set(children_of(os.getpid()))
        tests = spawn(
            [sys.executable, "-m", "pytest", "-p", "ops.pytest_markers", *words],
            environment=os.environ | environment | {"PYTHONPATH": str(ROOT)},
            directory=ROOT,
            new_session=False,  # so that Ctrl-C reaches pytest, which then ends orderly
            death_signal=signal.SIGTERM,
        )
        try:
            return _wait_for_end(tests)
        finally:
            for forgotten in set(children_of(os.getpid())) - servers:
                os.kill(forgotten, signal.SIGKILL)


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _wait_for_end(tests: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return tests.wait()
        except KeyboardInterrupt:  # pytest got it too; its summary is still to come
            continue
        except SystemExit:
            tests.terminate()
            tests.wait()
            raise
