"""Rotation of the signing key under load: no request fails on the running system."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from threading import Event

import httpx

from tests.e2e.conftest import System

_PATHS = ("auth/me", "books", "requests", "robot/status", "notifications")
_RATE = 100  # requests a second, over all threads
_THREADS = 10
_SECONDS = 6


def _read(address: str, token: str, stop: Event, number: int) -> list[int]:
    statuses: list[int] = []
    due = time.monotonic()
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}) as client:
        while not stop.is_set():
            path = _PATHS[(number + len(statuses)) % len(_PATHS)]
            statuses.append(client.get(f"/api/v1/{path}").status_code)
            # what a slow machine has missed is not made up for: bursts are refused
            due = max(due + _THREADS / _RATE, time.monotonic())
            stop.wait(due - time.monotonic())
    return statuses


def test_reads_go_on_through_a_rotation(system: System) -> None:
    address = system.status()["address"]
    tokens = [system.account("LIBRARIAN").token for _ in range(_THREADS)]
    stop = Event()
    began = time.monotonic()
    with ThreadPoolExecutor(_THREADS) as many:
        reading = [many.submit(_read, address, token, stop, n) for n, token in enumerate(tokens)]
        try:
            rotated = system.luna("keys", "rotate")
            account = system.account("STUDENT")  # signed in with the new key
            seen = [account.request("GET", f"/{path}") for path in ("auth/me", "books")]
            stop.wait(max(0.0, _SECONDS - (time.monotonic() - began)))
        finally:
            stop.set()
        statuses = [each.result() for each in reading]
    assert rotated.returncode == 0, rotated.stderr
    assert len(seen) == 2
    counted = Counter(chain.from_iterable(statuses))
    assert counted.keys() == {200}, counted
    assert min(map(len, statuses)) >= len(_PATHS)  # a slow machine reads less often than it should
