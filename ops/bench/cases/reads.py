"""Requests per second of read routes through the gateway at 16 connections.

A ratio to a bare asynchronous FastAPI route behind a bare Nginx.
"""

from collections.abc import Iterator

import httpx

from ops.bench import Result, bench_library, hello, load
from ops.bench.load import Target
from ops.bench.system import System
from ops.servers import prerequisites

MAX_P99 = 60.0  # ms
BARS = {
    "constant (JWKS)": 0.55,
    "unread count": 0.28,
    "cached book": 0.50,
    "cached search": 0.45,
    "one row (/auth/me)": 0.28,
    "availability": 0.22,
    "list of 20 requests": 0.13,
    "status of 20 robots": 0.10,
}
_ROWS = 20


def _fill(system: System, student: dict[str, str]) -> None:
    """Add robots, and requests of the student."""
    bench_library.add_robots(system, _ROWS)
    for book in bench_library.add_books(system, _ROWS, copies=1):
        body = {"book_id": str(book), "request_location": "Study Room 201"}
        url = f"{system.address}/api/v1/requests"
        httpx.post(url, json=body, headers=student, timeout=15).raise_for_status()


def _targets(system: System) -> list[Target]:
    api = f"{system.address}/api/v1"
    student = system.sign_in("STUDENT")
    found = httpx.get(f"{api}/books", params={"limit": 1}, headers=student, timeout=15)
    book = found.raise_for_status().json()["data"][0]["id"]
    paths = {
        "constant (JWKS)": "/auth/.well-known/jwks.json",
        "unread count": "/notifications/unread-count",
        "cached book": f"/books/{book}",
        "cached search": "/books?q=history&limit=20",
        "one row (/auth/me)": "/auth/me",
        "availability": f"/books/{book}/availability",
        "list of 20 requests": "/requests",
    }
    _fill(system, student)
    staff = Target("status of 20 robots", f"{api}/robot/status", system.sign_in("LIBRARIAN"))
    return [*(Target(name, f"{api}{path}", student) for name, path in paths.items()), staff]


def run(system: System, *, short: bool) -> Iterator[Result]:
    """Alternate between the routes and the hello."""
    targets = _targets(system)
    for target in targets:
        httpx.get(target.url, headers=dict(target.headers), timeout=15).raise_for_status()
    with hello.running(prerequisites.ensure().nginx, system.folder) as address:
        rounds, seconds = (3, 1) if short else (5, 3)
        found = load.alternating(
            [Target("hello", address), *targets], rounds=rounds, seconds=seconds
        )
    bare = load.median(found.pop("hello"))
    comparison = f"bare hello: {bare.rate:,.0f} requests/s, p99 {bare.p99:.0f} ms"
    for name, loads in found.items():
        own = load.median(loads)
        figures = {"requests/s": own.rate, "p99 ms": own.p99, "failed": own.failed}
        yield Result(name, own.rate / bare.rate, "× hello", BARS[name], None, comparison, figures)
        if not short:
            yield Result(f"{name}, p99", own.p99, "ms", at_most=MAX_P99)
