"""The worker process: parent of the Celery workers, with the relay and the scheduler as threads.

Imports have a Celery worker of their own, so that they never delay dispatch. Run as
`python -m backend.shared.messaging.worker`. When one of its parts ends, the process exits and its
supervisor restarts it; when the process is killed, the kernel kills its Celery workers.
"""

import ctypes
import gc
import importlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

from sqlalchemy import create_engine, text

from backend.shared import fork_memory
from backend.shared.infra import config, database, logs
from backend.shared.infra.config import safety
from backend.shared.messaging import celery_app, metrics, process_heartbeats
from backend.shared.messaging.relay import Relay
from backend.shared.messaging.scheduler import Scheduler

_log = logs.get(__name__)
_PART = "celery-worker"
_SHUTDOWN_TIMEOUT = 12.0  # seconds
_NICENESS = 10  # a tenth of the weight of a service
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _lower_priority() -> None:
    """Run below the services, for which users and robots wait.

    A burst of writes is answered first; its events are processed in larger batches, or afterwards.
    Where Linux shares the processors between sessions (autogroup), a process's own niceness counts
    within its session alone.
    """
    os.nice(_NICENESS)
    if os.getsid(0) == os.getpid():  # no other program shares this session
        with suppress(OSError):  # another system, or a kernel without it
            Path("/proc/self/autogroup").write_text(str(_NICENESS), encoding="ascii")


def _run_celery(name: str, queues: Sequence[str], concurrency: int) -> None:
    """Run a Celery worker in a forked process, which shares the imported modules."""
    _die_with_parent()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # Celery installs its own
    celery_worker = celery_app.celery.Worker(
        hostname=f"{name}@%h",
        queues=",".join(queues),
        concurrency=concurrency,
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    gc.freeze()
    celery_worker.start()
    raise SystemExit(celery_worker.exitcode)


class _Heartbeat:
    """Records the heartbeat of this process when it is due."""

    _next = 0.0

    def __call__(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + process_heartbeats.INTERVAL.total_seconds()
        try:
            with database.transaction() as session:
                process_heartbeats.record(session, _PART)
        except Exception as error:  # noqa: BLE001 (an outage of the database: the next heartbeat retries)
            _log.warning("heartbeat not recorded", error=str(error).splitlines()[0])


def _is_running(name: str, run: threading.Thread, stopping: threading.Event) -> bool:
    if run.is_alive() or stopping.is_set():
        return True
    _log.error("thread ended", thread=name)
    return False


def _check_connection_budget() -> None:
    """Exit when PostgreSQL allows fewer connections than all components may open."""
    engine = create_engine(config.database().database_url)
    with engine.connect() as connection:
        allowed = int(connection.execute(text("SHOW max_connections")).scalar_one())
        reserved = int(connection.execute(text("SHOW superuser_reserved_connections")).scalar_one())
    engine.dispose()  # no open connection may be inherited by the fork
    needed = config.connections_needed()
    if needed > allowed - reserved:
        raise SystemExit(
            f"LUNA may open {needed} connections, but PostgreSQL allows {allowed - reserved}: "
            "raise max_connections, or lower LUNA_POOL_SIZE"
        )


def _celery_workers() -> list[tuple[str, Sequence[str], int]]:
    """Return name, queues and number of processes of each Celery worker."""
    return [
        ("celery", celery_app.QUEUES, config.outbox().worker_concurrency),
        ("imports", celery_app.IMPORT_QUEUES, celery_app.IMPORT_CONCURRENCY),
    ]


def _start_celery(name: str, queues: Sequence[str], concurrency: int) -> BaseProcess:
    child = multiprocessing.get_context("fork").Process(
        target=_run_celery, name=name, args=(name, queues, concurrency)
    )
    child.start()
    return child


def main() -> None:
    safety.refuse_unsafe()
    logs.configure(_PART)
    _check_connection_budget()
    if config.process().migrate:
        from backend.shared.migrations import migrate

        migrate.main()
    _lower_priority()
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for module in (*celery_app.TASK_MODULES, *celery_app.WORKER_MODULES):
        importlib.import_module(module)
    fork_memory.prepare_to_fork()
    # Fork before starting threads and opening connections: neither survives a fork.
    children = [_start_celery(*worker) for worker in _celery_workers()]
    threads = {
        "relay": threading.Thread(
            target=Relay(celery_app.celery).run, args=[stopping], daemon=True
        ),
        "scheduler": threading.Thread(
            target=Scheduler(_Heartbeat()).run, args=[stopping], daemon=True
        ),
    }
    for thread in threads.values():
        thread.start()
    if (listen := config.process().metrics_listen) is not None:
        metrics.serve(listen)
    _watch(children, threads, stopping)
    raise SystemExit(_shut_down(children, threads, stopping))


def _watch(
    children: Sequence[BaseProcess], threads: dict[str, threading.Thread], stopping: threading.Event
) -> None:
    ready_file = config.process().ready_file
    while not stopping.is_set() and all(child.is_alive() for child in children):
        if not all(_is_running(name, thread, stopping) for name, thread in threads.items()):
            break
        stopping.wait(0.5)
    if ready_file is not None:
        ready_file.unlink(missing_ok=True)


def _shut_down(
    children: Sequence[BaseProcess], threads: dict[str, threading.Thread], stopping: threading.Event
) -> int:
    """Stop what still runs; return 0 after a signal, 1 when a component ended by itself."""
    was_signalled = stopping.is_set()
    stopping.set()
    deadline = time.monotonic() + _SHUTDOWN_TIMEOUT
    for child in children:
        child.terminate()
    for child in children:
        child.join(timeout=max(deadline - time.monotonic(), 0))
        if child.is_alive():
            child.kill()
    for thread in threads.values():
        thread.join(timeout=3)
    return 0 if was_signalled else 1


if __name__ == "__main__":
    main()
