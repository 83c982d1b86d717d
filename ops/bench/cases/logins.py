"""Reads while 20 people sign in at once, again and again, and the same reads without them.

Password hashes take a core by design; they are bounded, so that others' requests go on. The
sign-ins use wrong passwords of addresses without an account: the hash is the same, and nobody is
locked out.
"""

import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from ops.bench import Result, load
from ops.bench.load import Target
from ops.bench.system import System

SETTINGS = {"LUNA_LOGIN_FAILURES_PER_ADDRESS": "0"}
_AT_ONCE = 20
_MAX_RATIO = 2.0
_READERS = 4  # connections of wrk: enough to see a delay, too few to fill the cores by themselves


@contextmanager
def _signing_in(system: System) -> Iterator[list[int]]:
    """Keep 20 sign-ins under way; yields a list that gets each response's status."""
    ended = threading.Event()
    statuses: list[int] = []

    def repeat(client: httpx.Client) -> None:
        while not ended.is_set():
            body = {"email": f"{secrets.token_hex(8)}@example.edu", "password": "Loud-lamps-1"}
            statuses.append(client.post("/api/v1/auth/login", json=body).status_code)

    with (
        httpx.Client(base_url=system.address, timeout=30) as client,
        ThreadPoolExecutor(_AT_ONCE) as people,
    ):
        for _ in range(_AT_ONCE):
            people.submit(repeat, client)
        try:
            yield statuses
        finally:
            ended.set()


def run(system: System, *, short: bool) -> Iterator[Result]:
    """Measure the p99 of two reads, in rounds without and with the sign-ins."""
    headers = system.sign_in("STUDENT")
    targets = [
        Target("profile", f"{system.address}/api/v1/auth/me", headers),
        Target("unread count", f"{system.address}/api/v1/notifications/unread-count", headers),
    ]
    seconds, rounds = (2, 1) if short else (6, 5)
    for target in targets:
        load.measure(target, 1, _READERS)
        alone, beside, statuses = [], [], []
        for _ in range(rounds):
            alone.append(load.measure(target, seconds, _READERS))
            with _signing_in(system) as answered:
                beside.append(load.measure(target, seconds, _READERS))
            statuses += answered
        assert set(statuses) == {401}
        quiet, busy = load.median(alone), load.median(beside)
        details = {
            "p99 ms": busy.p99,
            "p50 ms": busy.p50,
            "sign-ins/s": len(statuses) / (seconds * rounds),
            "failed": busy.failed,
        }
        comparison = f"without sign-ins: {quiet.p99:.1f} ms p99, {quiet.p50:.1f} ms p50"
        ratio = busy.p99 / quiet.p99
        yield Result(
            f"{target.name}, p99", ratio, "× without", None, _MAX_RATIO, comparison, details
        )
