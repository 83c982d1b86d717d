"""Live view: time from the commit of an event to the clients' sockets, and memory of idle sockets.

All sockets go through the gateway, ten for each person; the clients run beside LUNA on this
machine. The comparison is a bare PUBLISH to one subscriber of the same Redis.
"""

import asyncio
import os
import resource
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import httpx

from ops.bench import Result, load, ws_load
from ops.bench.system import System

_SOCKETS_EACH = 10
_EVENTS = 40
_DESCRIPTORS = 20_000
_PASSWORD = "Bench-marks-2026!"  # noqa: S105 (of accounts that live for one run)
_KB = 1024


def _register(system: System, count: int) -> list[tuple[UUID, str]]:
    """Register people; return their ids and tokens."""
    run = uuid4().hex[:8]

    def one(number: int) -> tuple[UUID, str]:
        body = {
            "email": f"bench-{run}-{number}@example.edu",
            "password": _PASSWORD,
            "first_name": "Bench",
            "last_name": str(number),
        }
        response = httpx.post(f"{system.address}/api/v1/auth/register", json=body, timeout=60)
        data = response.raise_for_status().json()["data"]
        return UUID(data["user"]["id"]), data["access_token"]

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, range(count)))


def _commit(user_id: UUID | None) -> float:
    """Commit an event for one person, or for all who look at the catalogue; return when."""
    from backend.shared import events
    from backend.shared.infra import clock, database
    from backend.shared.messaging import outbox

    event: events.Event
    if user_id is None:
        event = events.BookUpdated(book_id=uuid4(), title="Benchmarks")
    else:
        event = events.LoanOpened(
            loan_id=uuid4(),
            user_id=user_id,
            copy_id=uuid4(),
            book_id=uuid4(),
            book_title="Benchmarks",
            due_at=clock.now(),
        )
    with database.transaction() as session:
        outbox.publish(session, event)
    return time.perf_counter()


async def _measure(clients: ws_load.Clients, user_id: UUID | None, expected: int) -> list[float]:
    """Commit one event after another; return the milliseconds of each message."""
    delays: list[float] = []
    for _ in range(_EVENTS):
        clients.times.clear()
        committed = _commit(user_id)
        await clients.received(expected, 5)
        delays += [(at - committed) * 1000 for at in clients.times]
        await asyncio.sleep(0.05)
    return delays


def _p95(delays: list[float]) -> float:
    return statistics.quantiles(delays, n=20)[-1] if len(delays) > 1 else float("inf")


def _figures(delays: list[float], expected: int) -> dict[str, float]:
    lost = expected - len(delays)
    return {"p50 ms": statistics.median(delays), "max ms": max(delays), "lost": lost}


def _bare_publish() -> float:
    """Return the median milliseconds from a PUBLISH to its one subscriber."""
    from backend.shared.infra import redis

    delays = []
    with redis.client().pubsub() as subscription:  # type: ignore[no-untyped-call]  # redis
        subscription.subscribe("bench")
        subscription.get_message(timeout=5)
        for _ in range(200):
            started = time.perf_counter()
            redis.client().publish("bench", b"x" * 500)
            subscription.get_message(timeout=5)
            delays.append((time.perf_counter() - started) * 1000)
    return statistics.median(delays)


def _memory_kb(system: System) -> float:
    """Return the proportional set size of the notification service."""
    rows = system.status()["services"]
    pid = next(row["pid"] for row in rows if row["name"] == "notification-service")
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return float(line.split()[1])
    raise LookupError("smaps_rollup has no Pss")


async def _fan_out(system: System, people: list[tuple[UUID, str]], bar: float) -> list[Result]:
    count = len(people) * _SOCKETS_EACH
    clients = await ws_load.connect(system.address, [t for _, t in people], _SOCKETS_EACH)
    comparison = f"bare PUBLISH: {_bare_publish():.2f} ms"
    results = []
    for name, topic, user_id, expected in (
        (f"one person's event, {count} sockets open", "me", people[0][0], _SOCKETS_EACH),
        (f"event for all of {count} sockets", "catalog", None, count),
    ):
        await clients.subscribe(topic)
        await _measure(clients, user_id, expected)  # warm
        delays = await _measure(clients, user_id, expected)
        figures = _figures(delays, expected * _EVENTS)
        results.append(Result(name, _p95(delays), "ms p95", None, bar, comparison, figures))
    clients.close()
    await asyncio.sleep(1)
    return results


async def _idle(system: System, people: list[tuple[UUID, str]]) -> Result:
    before = _memory_kb(system)
    clients = await ws_load.connect(system.address, [t for _, t in people], _SOCKETS_EACH)
    await asyncio.sleep(2)
    count = sum(client.is_open for client in clients.clients)
    each = (_memory_kb(system) - before) / max(count, 1)
    clients.close()
    details = {"open": count, "service MB": before / _KB + each * count / _KB}
    return Result(f"memory of an idle socket, {count} open", each, "kB", None, 45, details=details)


@contextmanager
def _environment(system: System) -> Iterator[None]:
    """Let the code of LUNA's programs run here; the next benchmark has another LUNA."""
    before = dict(os.environ)
    os.environ.update(system.environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def run(system: System, *, short: bool) -> Iterator[Result]:
    """Measure 1 000 and 2 000 sockets, then 5 000 idle ones; a short run 100 and 500."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, _DESCRIPTORS)), hard))
    people = _register(system, 50 if short else 500)
    with _environment(system):
        for used, bar in ((10, 50.0),) if short else ((100, 50.0), (200, 150.0)):
            yield from load.run_client(_fan_out(system, people[:used], bar))
    yield load.run_client(_idle(system, people))
