"""PostgreSQL and Redis servers in a temporary folder, for the length of one test run."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from ops.processes import kill_group, spawn
from ops.servers import prerequisites, probes, redis_server, run_as
from ops.servers.postgres import Cluster

START_TIMEOUT = 30.0  # seconds
STOP_TIMEOUT = 10.0
POLL_INTERVAL = 0.02
MADE = "made"  # the folder of a cluster that was never started
REDIS_PASSWORD = "only-for-tests"  # noqa: S105 — likewise
SUPERUSER_PASSWORD = "only-for-tests"  # noqa: S105 — of a server that lives for one run


class NotStartedError(Exception):
    """A server for the tests did not start; the message holds the end of its log."""


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotStartedError(log.read_text(errors="replace")[-2000:])
        time.sleep(POLL_INTERVAL)


def _stop(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    process.send_signal(number)
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        kill_group(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _running(
    command: Sequence[str], folder: Path, ready: Callable[[], bool], stop: signal.Signals
) -> Iterator[None]:
    log = folder / "server.log"
    process = spawn(
        command,
        environment=os.environ,
        directory=folder,
        log=log,
        user=run_as.unprivileged()[1],
        death_signal=stop,
    )
    try:
        _wait(process, ready, log)
        yield
    finally:
        _stop(process, stop)


def _make_folder(base: Path, name: str) -> Path:
    folder = base / name
    folder.mkdir(mode=0o700)
    if user := run_as.unprivileged()[1]:
        base.chmod(0o711)
        shutil.chown(folder, user, user)
    return folder


def _make_cluster(cluster: Cluster, log: Path) -> None:
    password = cluster.sockets / "password"
    password.write_text(SUPERUSER_PASSWORD, encoding="ascii")
    password.chmod(0o644)  # in a private folder; the unprivileged user reads it
    initdb = spawn(
        cluster.make_command(password, durable=False),
        environment=os.environ,
        directory=cluster.sockets,
        log=log,
        user=run_as.unprivileged()[1],
    )
    if initdb.wait() != 0:
        raise NotStartedError(log.read_text(errors="replace")[-2000:])


def _start_postgres(stack: ExitStack, programs: prerequisites.Programs, base: Path) -> str:
    """Start a cluster; returns the superuser's URL. A copy of it as it was made stays beside it."""
    folder = _make_folder(base, "pg")
    cluster = Cluster(programs.postgres, folder / "data", folder)
    _make_cluster(cluster, base / "initdb.log")
    copy_cluster(cluster.data, base / MADE)
    ready = partial(probes.postgres_answers, cluster.socket)
    command = cluster.start_command(durable=False)
    stack.enter_context(_running(command, folder, ready, signal.SIGINT))
    return cluster.url("postgres", SUPERUSER_PASSWORD, "postgres")


def copy_cluster(data: Path, to: Path) -> None:
    """Copy the files of a cluster that does not run, with their owners."""
    subprocess.run(["cp", "-a", str(data), str(to)], check=True)  # noqa: S603, S607 (two paths)


def _start_redis(
    stack: ExitStack, programs: prerequisites.Programs, base: Path, number: int
) -> str:
    folder = _make_folder(base, f"redis-{number}")
    socket = folder / "redis.sock"
    ready = partial(probes.redis_answers, str(socket), REDIS_PASSWORD)
    command = redis_server.start_command(
        programs.redis, socket, folder, REDIS_PASSWORD, durable=False
    )
    # a user for tests that do what LUNA may not, such as closing the connections of others
    command += ["--user", "admin", "on", f">{REDIS_PASSWORD}", "~*", "&*", "+@all"]
    stack.enter_context(_running(command, folder, ready, signal.SIGTERM))
    return redis_server.url(str(socket), REDIS_PASSWORD)


@contextmanager
def temporary_servers(
    programs: prerequisites.Programs, redis_count: int = 1
) -> Iterator[dict[str, str]]:
    """Start one PostgreSQL and `redis_count` Redis servers; yields the environment of the tests.

    Each pytest worker has a Redis of its own: channels are shared by all databases of a server.
    """
    with ExitStack() as stack:
        # a short path, because the length of a socket's path is limited
        base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="luna-t-")))
        database_url = _start_postgres(stack, programs, base)
        redis_urls = [_start_redis(stack, programs, base, n) for n in range(redis_count)]
        yield {
            "LUNA_TEST_DATABASE_URL": database_url,
            "LUNA_TEST_CLUSTER": str(base / MADE),
            "LUNA_TEST_REDIS_URLS": " ".join(redis_urls),
            "LUNA_TEST_POSTGRES_BIN": str(programs.postgres),
            "LUNA_TEST_REDIS_SERVER": str(programs.redis),
            "LUNA_TEST_NGINX": str(programs.nginx),
        }
