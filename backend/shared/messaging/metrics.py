"""Metrics of the worker: events, dispatch, robots and the watchdog, read from the database.

The consumers run in processes of Celery, whose own counters nobody could read: their runs are
counted in memory that they share with the worker, which serves all of this.
"""

import ctypes
import os
import threading
from collections.abc import Iterable, Iterator
from http.server import ThreadingHTTPServer
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer

from prometheus_client import REGISTRY
from prometheus_client.exposition import MetricsHandler
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.shared.infra import clock, database, logs
from backend.shared.messaging.subscriptions import BY_TYPE, queue_of

_log = logs.get(__name__)
_CONSUMERS = sorted({name for names in BY_TYPE.values() for name in names})
_OUTCOMES = ("done", "failed", "refused")
_runs = RawArray(ctypes.c_double, len(_CONSUMERS) * len(_OUTCOMES))


def count_run(consumer: str, outcome: str) -> None:
    """Count a run of a consumer, in whichever process it ran.

    Without a lock: a process that is killed while it holds one would stop all others. Two
    increments in the same instant may count as one.
    """
    _runs[_CONSUMERS.index(consumer) * len(_OUTCOMES) + _OUTCOMES.index(outcome)] += 1


_PENDING = text("""
    SELECT o.event_type, s.consumer, count(*), extract(epoch FROM :now - min(o.created_at))
    FROM outbox o
    JOIN unnest(CAST(:types AS text[]), CAST(:consumers AS text[])) AS s (event_type, consumer)
        ON s.event_type = o.event_type
    LEFT JOIN processed_events p ON p.event_id = o.id AND p.consumer = s.consumer
    WHERE o.acked_at IS NULL AND o.dead_at IS NULL AND p.event_id IS NULL
    GROUP BY o.event_type, s.consumer
""")
_LAG = text("""
    SELECT count(*), coalesce(extract(epoch FROM :now - min(created_at)), 0)
    FROM outbox WHERE acked_at IS NULL AND dead_at IS NULL
""")
_DEAD = text("SELECT event_type, count(*) FROM outbox WHERE dead_at IS NOT NULL GROUP BY 1")
_QUEUE = text("""
    SELECT count(*), coalesce(extract(epoch FROM :now - min(created_at)), 0)
    FROM delivery_tasks WHERE status IN ('PENDING', 'QUEUED')
""")
_ASSIGNMENT = text("""
    SELECT coalesce(avg(extract(epoch FROM started_at - created_at)), 0)
    FROM delivery_tasks WHERE status IN ('ASSIGNED', 'IN_PROGRESS')
""")
_ROBOTS = text("""
    SELECT status, connectivity, CAST(stopped_at IS NOT NULL AS text), count(*)
    FROM robots WHERE retired_at IS NULL GROUP BY 1, 2, 3
""")
_WATCHDOG = text("""
    SELECT extract(epoch FROM :now - at),
        coalesce(CAST(details ->> 'round_trip_ms' AS numeric), 0) / 1000
    FROM part_heartbeats WHERE part = 'watchdog'
""")
_GAUGES = (
    (_LAG, (), ("luna_outbox_pending", "luna_outbox_lag_seconds")),
    (_DEAD, ("event_type",), ("luna_dead_letters",)),
    (_QUEUE, (), ("luna_dispatch_queue", "luna_dispatch_oldest_seconds")),
    (_ASSIGNMENT, (), ("luna_dispatch_assignment_seconds",)),
    (_ROBOTS, ("status", "connectivity", "stopped"), ("luna_robots",)),
    (_WATCHDOG, (), ("luna_watchdog_age_seconds", "luna_watchdog_round_trip_seconds")),
)
_MEANINGS = {
    "luna_outbox_pending": "Events that not every consumer has processed",
    "luna_outbox_lag_seconds": "Age of the oldest of them",
    "luna_dead_letters": "Events that failed for good",
    "luna_dispatch_queue": "Tasks that wait for a robot",
    "luna_dispatch_oldest_seconds": "Age of the oldest of them",
    "luna_dispatch_assignment_seconds": "Mean wait for a robot, of the tasks that have one now",
    "luna_robots": "Robots by state",
    "luna_watchdog_age_seconds": "Time since the synthetic event last passed the whole chain",
    "luna_watchdog_round_trip_seconds": "Time it took",
}


class WorkerCollector(Collector):
    """Reads the database each time the metrics are asked for."""

    def describe(self) -> list[Metric]:
        return []  # registering it reads nothing

    def collect(self) -> Iterator[Metric]:
        yield _run_counter()
        try:
            yield from _read()
        except SQLAlchemyError as error:
            _log.warning("metrics not read", error=str(error).splitlines()[0])


def _run_counter() -> Metric:
    runs = CounterMetricFamily(
        "luna_event_runs", "Runs of a consumer", labels=["consumer", "queue", "outcome"]
    )
    for number, count in enumerate(_runs):
        consumer, outcome = divmod(number, len(_OUTCOMES))
        name = _CONSUMERS[consumer]
        runs.add_metric([name, queue_of(name), _OUTCOMES[outcome]], count)
    return runs


def _read() -> Iterable[Metric]:
    pairs = [(kind, consumer) for kind, names in BY_TYPE.items() for consumer in names]
    types, consumers = zip(*pairs, strict=True)
    labels = ["event_type", "consumer", "queue"]
    waiting = GaugeMetricFamily("luna_events_pending", "Events a consumer must do", labels=labels)
    oldest = GaugeMetricFamily("luna_events_oldest_seconds", "Age of the oldest", labels=labels)
    now = {"now": clock.now()}
    with database.reading_engine().connect() as connection:
        parameters = {**now, "types": list(types), "consumers": list(consumers)}
        for kind, consumer, count, age in connection.execute(_PENDING, parameters):
            waiting.add_metric([kind, consumer, queue_of(consumer)], count)
            oldest.add_metric([kind, consumer, queue_of(consumer)], float(age))
        yield from (waiting, oldest)
        for statement, names, metrics in _GAUGES:
            families = [GaugeMetricFamily(m, _MEANINGS[m], labels=names) for m in metrics]
            own = now if ":now" in statement.text else {}
            for row in connection.execute(statement, own):
                for family, value in zip(families, row[len(names) :], strict=True):
                    family.add_metric([str(each) for each in row[: len(names)]], float(value))
            yield from families


class _UnixServer(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


def serve(listen: str) -> None:
    """Serve the metrics of this process on `unix:/path` or `host:port`, in a thread."""
    REGISTRY.register(WorkerCollector())
    handler = MetricsHandler.factory(REGISTRY)
    server: ThreadingHTTPServer | _UnixServer
    if listen.startswith("unix:"):
        path = Path(listen.removeprefix("unix:"))
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        server = _UnixServer(str(path), handler)
        os.umask(before)
    else:
        host, _, port = listen.rpartition(":")
        server = ThreadingHTTPServer((host, int(port)), handler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
