"""A usual mix of 150 requests a second from one address for ten minutes, beside 50 robots.

Searches, books, availability, lists, profiles, and requests that are created and cancelled, each
sent when it is due whether or not the one before was answered; a latency counts from then. The
address may send 200 a second. Then a burst of ten times the load for five seconds: it may be
refused with 429 and 503 only. The client and the robots run beside LUNA on this machine.
LUNA_BENCH_SECONDS chooses another time than ten minutes.
"""

import asyncio
import os
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from random import Random
from typing import Any

from ops.bench import Result, bench_library, bridges, load
from ops.bench.bridges import Connection
from ops.bench.system import Memory, System

SETTINGS = {"LUNA_GATEWAY_LIMITS": "on", "LUNA_GATEWAY_RATE": "200r/s"}
_RATE, _TIMES_IN_A_BURST = 150, 10
_SECONDS, _SHORT_SECONDS = 600.0, 20.0
_BURST_SECONDS, _RECOVERY_SECONDS = 5.0, 5.0
_ROBOTS = 50
_MAX_P99 = 250.0  # ms
_MAX_GROWTH = 5.0  # per cent of the memory after a sixth of the time, but for shared memory
_REFUSALS = frozenset({429, 503})
_CONNECTIONS = 512  # for a burst of 1 500 a second
_MEMBERS, _BOOKS, _OPEN_REQUESTS = 300, 60, 40
_WORDS = ("history", "night", "sea", "garden", "light", "war", "house", "river", "city", "winter")
_SUCCESS = range(200, 300)
_Pair = tuple[str, str]  # member and book


@dataclass(frozen=True)
class Answered:
    """One request: when it was due, by time.monotonic(), how long it took, its status."""

    due: float
    ms: float
    status: int  # 0: no response

    @property
    def is_ok(self) -> bool:
        return self.status in _SUCCESS


@dataclass
class Mix:
    """People at one address: their connections, and the requests that they have open."""

    system: System
    members: list[Any]
    books: list[Any]
    chance: Random = field(default_factory=lambda: Random(1))  # noqa: S311 (a workload)
    answered: list[Answered] = field(default_factory=list)
    _idle: dict[str, list[Connection]] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)
    _free: deque[_Pair] = field(default_factory=deque)
    _open: deque[tuple[str, _Pair]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        books = cycle(self.books)
        self._free.extend((str(member), str(next(books))) for member in self.members)

    def sign_in(self) -> None:
        for role in ("STUDENT", "LIBRARIAN", "ADMIN"):
            header = self.system.sign_in(role)["Authorization"]
            self._tokens[role] = header.removeprefix("Bearer ")
            self._idle[role] = []

    def _read(self) -> tuple[str, str]:
        """Choose a read: role and path."""
        book = self.chance.choice(self.books)
        return self.chance.choices(
            (
                ("STUDENT", f"/books?q={self.chance.choice(_WORDS)}&limit=20"),
                ("STUDENT", f"/books/{book}"),
                ("STUDENT", f"/books/{book}/availability"),
                ("STUDENT", "/requests"),
                ("STUDENT", "/auth/me"),
                ("STUDENT", "/notifications/unread-count"),
                ("LIBRARIAN", "/deliveries"),
                ("LIBRARIAN", "/robot/status"),
            ),
            weights=(30, 20, 10, 12, 10, 8, 3, 3),
        )[0]

    async def _call(self, role: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        idle = self._idle[role]
        connection = idle.pop() if idle else Connection(self.system.address, self._tokens[role])
        result = await connection.call(method, path, body)
        idle.append(connection)
        return result

    async def _write(self) -> int:
        """Create a request for a member, or cancel the oldest.

        A member may have one request for a book: a pair is used again when its request is
        cancelled, so none is refused for what a burst left behind.
        """
        if len(self._open) >= _OPEN_REQUESTS:
            request, pair = self._open.popleft()
            status, _ = await self._call("ADMIN", "PUT", f"/requests/{request}/cancel", {})
            if status in _SUCCESS:
                self._free.append(pair)
            else:
                self._open.appendleft((request, pair))
            return status
        member, book = pair = self._free.popleft()
        body = {"book_id": book, "user_id": member, "request_location": "Study Room 201"}
        status, made = await self._call("LIBRARIAN", "POST", "/requests", body)
        if status in _SUCCESS:
            self._open.append((made["id"], pair))
        else:
            self._free.append(pair)
        return status

    async def _send(self, due: float, slots: asyncio.Semaphore) -> None:
        async with slots:
            is_write = self.chance.random() < 0.04  # noqa: PLR2004 (six a second)
            if is_write:
                status = await self._write()
            else:
                role, path = self._read()
                status, _ = await self._call(role, "GET", path)
        self.answered.append(Answered(due, (time.monotonic() - due) * 1000, status))

    async def run(self, rate: float, seconds: float) -> list[Answered]:
        """Send so many requests a second; return what became of them."""
        self.answered.clear()
        slots, began = asyncio.Semaphore(_CONNECTIONS), time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for number in range(int(rate * seconds)):
                due = began + number / rate
                if (early := due - time.monotonic()) > 0:  # else this client is late: catch up
                    await asyncio.sleep(early)
                tasks.create_task(self._send(due, slots))
        return list(self.answered)


@dataclass
class _Measured:
    steady: list[Answered]
    burst: list[Answered]
    after: list[Answered]
    burst_ended: float
    memory: tuple[Memory, Memory]  # after a sixth of the time, and at its end
    robot_errors: list[str]


async def _measure(system: System, seconds: float) -> _Measured:
    fleet = await bridges.register(system, _ROBOTS)
    mix = Mix(
        system,
        bench_library.add_members(system, _MEMBERS),
        bench_library.add_books(system, _BOOKS, copies=10),
    )
    mix.sign_in()
    async with bridges.running(fleet):
        first = await mix.run(_RATE, seconds / 6)
        before = system.memory()
        steady = first + await mix.run(_RATE, seconds * 5 / 6)
        memory = before, system.memory()
        errors = [each for bridge in fleet for each in bridge.errors]
        burst = await mix.run(_RATE * _TIMES_IN_A_BURST, _BURST_SECONDS)
        ended = time.monotonic()
        after = await mix.run(_RATE, 3 * _RECOVERY_SECONDS)
    return _Measured(steady, burst, after, ended, memory, errors)


def _statuses(answers: list[Answered]) -> str:
    found = Counter(each.status for each in answers if not each.is_ok)
    return ", ".join(f"{status}: {count}" for status, count in sorted(found.items()))


def _p99(answers: list[Answered]) -> float:
    return bridges.percentile([each.ms for each in answers], 0.99)


def run(system: System, *, short: bool) -> Iterator[Result]:
    """Measure for 20 seconds or ten minutes, then the burst and what follows."""
    chosen = os.environ.get("LUNA_BENCH_SECONDS")
    seconds = float(chosen) if chosen else _SHORT_SECONDS if short else _SECONDS
    found = load.run_client(_measure(system, seconds))
    steady = found.steady
    failed = [each for each in steady if not each.is_ok]
    about = {
        "requests": len(steady),
        "answered/s": len(steady)
        / (max(each.due + each.ms / 1000 for each in steady) - steady[0].due),
        "p50 ms": bridges.percentile([each.ms for each in steady], 0.5),
    }
    yield Result("150 requests/s, p99", _p99(steady), "ms", at_most=_MAX_P99, details=about)
    yield Result("requests that failed", len(failed), "", at_most=0, comparison=_statuses(steady))
    errors = found.robot_errors
    comparison = ", ".join(set(errors))
    yield Result("robots' calls that failed", len(errors), "", at_most=0, comparison=comparison)
    yield _growth(*found.memory)
    yield from _burst_results(found)


def _growth(before: Memory, after: Memory) -> Result:
    """Return by how much the memory of the processes has grown.

    PostgreSQL's buffers are a cache of fixed size (`shared_buffers`), which fills as rows are
    written and read: they are shown beside it.
    """
    growth = (after.own / before.own - 1) * 100
    details = {
        "MB after a sixth": before.own,
        "MB at the end": after.own,
        "shared MB after a sixth": before.shared,
        "shared MB at the end": after.shared,
    }
    return Result("growth of the memory", growth, "%", at_most=_MAX_GROWTH, details=details)


def _recovered(after: list[Answered], burst_ended: float) -> float:
    """Return when the last second has ended in which more than one answer of a hundred was late.

    Also one that was refused. So p99 is again what it must be at this load.
    """
    seconds: dict[int, list[Answered]] = {}
    for each in after:
        seconds.setdefault(int(each.due - burst_ended), []).append(each)
    late = [
        second + 1.0
        for second, answers in seconds.items()
        if sum(not each.is_ok or each.ms > _MAX_P99 for each in answers) > len(answers) / 100
    ]
    return max(late, default=0.0)


def _burst_results(found: _Measured) -> Iterator[Result]:
    others = [each for each in found.burst if not each.is_ok and each.status not in _REFUSALS]
    answered = sum(each.is_ok for each in found.burst)
    sent = {"sent": len(found.burst), "answered": answered, "p99 ms": _p99(found.burst)}
    yield Result(
        "burst: neither answered nor refused with 429 or 503", len(others), "", at_most=0,
        comparison=_statuses(found.burst), details=sent,
    )  # fmt: skip
    last = _recovered(found.after, found.burst_ended)
    yield Result("as before after the burst", last, "s", at_most=_RECOVERY_SECONDS)
