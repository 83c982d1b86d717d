"""`luna test`: run pytest against temporary servers, on all processors, with coverage if wanted."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ops.home import ROOT
from ops.processes import become_subreaper, children_of, spawn
from ops.servers import prerequisites
from ops.servers.temporary_servers import NotStartedError, temporary_servers

SUITES: dict[str, list[str]] = {
    "default": ["-m", "not slow"],
    "unit": ["-m", "unit"],
    "api": ["-m", "api"],
    "e2e": ["-m", "e2e"],
    "chaos": ["tests/chaos"],
    "all": [],
}
# Examples of a property test, generated calls of the fuzz suite, disturbances of the model of the
# workflow, titles of the library whose plans are read, races for one title, and families of refresh
# tokens; elsewhere their defaults.
ENVIRONMENT = {
    "all": {
        "LUNA_TEST_EXAMPLES": "500",
        "LUNA_TEST_CALLS": "50000",
        "LUNA_TEST_RPC_CALLS": "10000",
        "LUNA_TEST_DISTURBANCES": "2",
        "LUNA_TEST_TITLES": "100000",
        "LUNA_TEST_RACES": "200",
        "LUNA_TEST_FAMILIES": "100",
    }
}
# A test of the default run that waits for ever prints where, and ends the run.
LIMIT = ["-o", "faulthandler_timeout=300", "-o", "faulthandler_exit_on_timeout=true"]
PLUGINS = ("-p", "ops.pytest_markers", "-p", "ops.pytest_forks")
MAX_WORKERS = 8  # their connections fit into one PostgreSQL
COVERAGE = ROOT / ".luna" / "coverage"
_MEMORY = Path("/dev/shm")  # noqa: S108 (the folder made in it is private to the run)
_MIN_MEMORY = 4 << 30  # bytes that a run may fill, and bytes that are left to programs


def worker_count(arguments: Sequence[str]) -> int:
    """Return the number of pytest workers: one more than processors, or what `--forks N` says.

    Each worker waits for servers and processes a third of its time. A run with other arguments
    has one worker, so that a debugger and `-x` work as expected.
    """
    if "--forks" in arguments:
        return int(arguments[arguments.index("--forks") + 1])
    if arguments or sys.platform != "linux":
        return 1
    return min(len(os.sched_getaffinity(0)) + 1, MAX_WORKERS)


def run(suite: str, arguments: Sequence[str], *, coverage: bool = False) -> int:
    """Run a suite; returns pytest's exit code. No process outlives the run."""
    become_subreaper()
    exit_by_sigterm()
    workers = worker_count(arguments)
    parallel = ["--forks", str(workers)] if workers > 1 and not arguments else []
    limit = LIMIT if suite == "default" and not arguments else []
    options = [*parallel, *limit, *SUITES[suite]]
    words = ["-m", "pytest", *PLUGINS, *options, *arguments]
    environment = ENVIRONMENT.get(suite, {}) | os.environ | {"PYTHONPATH": str(ROOT)}
    if coverage:
        words = ["-m", "coverage", "run", *words]
        environment["COVERAGE_FILE"] = str(_empty_coverage())
    try:
        programs = prerequisites.ensure()
        with _scratch(), temporary_servers(programs, workers) as servers:
            code = _run(words, environment | servers | {"TMPDIR": tempfile.gettempdir()})
    except NotStartedError as failed:
        print(f"A server for the tests did not start:\n{failed}", file=sys.stderr)
        return 1
    return code or (_report_coverage(environment) if coverage else 0)


@contextmanager
def _scratch() -> Iterator[None]:
    """Keep the servers' and the tests' files in memory, if there is plenty, and remove them.

    On a slow disk a server can be too late for the services' time limits.
    """
    if not _has_memory():
        yield
        return
    before = tempfile.gettempdir()
    folder = tempfile.mkdtemp(prefix="luna-", dir=_MEMORY)
    Path(folder).chmod(0o1777)  # as /tmp: the servers run as another user
    tempfile.tempdir = folder
    try:
        yield
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)


def _has_memory() -> bool:
    if "TMPDIR" in os.environ or not _MEMORY.is_dir():
        return False
    words = Path("/proc/meminfo").read_text().split()
    available = int(words[words.index("MemAvailable:") + 1]) * 1024
    return min(shutil.disk_usage(_MEMORY).free, available - _MIN_MEMORY) >= _MIN_MEMORY


def _run(words: Sequence[str], environment: dict[str, str]) -> int:
    servers = set(children_of(os.getpid()))
    tests = spawn(
        [sys.executable, *words],
        environment=environment,
        directory=ROOT,
        new_session=False,  # Ctrl-C reaches pytest, which then stops in order
        death_signal=signal.SIGTERM,
    )
    try:
        return _wait_for_end(tests)
    finally:
        for orphan in set(children_of(os.getpid())) - servers:
            os.kill(orphan, signal.SIGKILL)


def exit_by_sigterm() -> None:
    """Let SIGTERM raise SystemExit, so that the servers are stopped."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))


def _wait_for_end(tests: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return tests.wait()
        except KeyboardInterrupt:  # pytest received it too; its summary is still to come
            continue
        except SystemExit:
            tests.terminate()
            tests.wait()
            raise


def _empty_coverage() -> Path:
    COVERAGE.mkdir(parents=True, exist_ok=True)
    for old in COVERAGE.iterdir():
        old.unlink()
    return COVERAGE / "data"


def _report_coverage(environment: dict[str, str]) -> int:
    """Print the least covered files; returns 2 when the total is below `fail_under`."""
    for words in (["combine", "--quiet"], ["report"]):
        command = [sys.executable, "-m", "coverage", *words]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False)  # noqa: S603 — fixed words
        if done.returncode:
            return done.returncode
    return 0
