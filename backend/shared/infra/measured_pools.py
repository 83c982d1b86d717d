"""Connection pools that measure how long their users wait for a connection."""

from prometheus_client import Histogram
from sqlalchemy import AsyncAdaptedQueuePool, QueuePool
from sqlalchemy.pool import ConnectionPoolEntry

_WAIT = Histogram(
    "luna_database_pool_wait_seconds",
    "Time to take a connection from a pool",
    ["pool"],
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2, 5),
)
_THREADS, _LOOP = _WAIT.labels("threads"), _WAIT.labels("event loop")


class ThreadPool(QueuePool):
    def _do_get(self) -> ConnectionPoolEntry:
        with _THREADS.time():
            return super()._do_get()


class LoopPool(AsyncAdaptedQueuePool):
    def _do_get(self) -> ConnectionPoolEntry:
        with _LOOP.time():
            return super()._do_get()
