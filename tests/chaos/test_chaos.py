"""Random faults in every part lose and double nothing that LUNA accepted.

`./luna test chaos` runs 90 s; `./luna test chaos --seconds 600 --seed 7` repeats a longer run.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest

from backend.shared.infra.services import OPERATOR_ROLE
from ops.home import Home, secret
from tests.chaos import faults
from tests.chaos.workload import STUDENTS, Ledger, Librarian, Student
from tests.e2e.conftest import System

pytestmark = pytest.mark.slow
DRAIN_TIMEOUT = 60.0  # seconds after the last fault
THREAD_TIMEOUT = 15.0  # longer than a request
_pause = threading.Event()  # never set


def test_nothing_accepted_is_lost_or_doubled(
    system: System, seed: int, seconds: int, capfd: pytest.CaptureFixture[str]
) -> None:
    def report(line: str) -> None:
        with capfd.disabled():
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()

    report(f"\nchaos: --seed {seed} --seconds {seconds}")
    ledger, nemesis = Ledger(), faults.Nemesis(system.home)
    with _people(system, seed, ledger) as (students, ending, threads):
        nemesis.run(faults.plan(seed, seconds), report)
        ending.set()
        began = time.monotonic()
        drained = _wait(lambda: _is_drained(system, threads), DRAIN_TIMEOUT)
        report(
            f"{len(nemesis.injected)} faults, {ledger.accepted} accepted operations, "
            f"{ledger.unknown} unknown, drained after {time.monotonic() - began:.1f} s"
        )
        assert drained, (ledger.problems, _what_is_open(system, threads))
        assert not ledger.problems
        assert ledger.creations, "the run did nothing"
        _assert_creations_exist_once(system, students, ledger)
    _assert_invariants_hold(system)
    rows = system.luna("status", "--json").stdout
    assert '"state": "ready"' in rows, rows


@contextmanager
def _people(
    system: System, seed: int, ledger: Ledger
) -> Iterator[tuple[list[Student], threading.Event, list[threading.Thread]]]:
    """Let the students and the librarian act; at the end the threads of all have ended."""
    now = system.status()
    staff = next(account for account in now["accounts"] if account["role"] == "LIBRARIAN")
    librarian = Librarian(now["address"], staff["email"], staff["password"], ledger)
    students = [Student(now["address"], number, seed, ledger) for number in range(STUDENTS)]
    ending, closed = threading.Event(), threading.Event()
    threads = [
        threading.Thread(target=student.run, args=[ending], daemon=True) for student in students
    ]
    desk = threading.Thread(target=librarian.run, args=[closed], daemon=True)
    for person in (*students, librarian):
        person.sign_in()  # before the first fault
    for thread in (*threads, desk):
        thread.start()
    try:
        yield students, ending, threads
    finally:
        ending.set()
        closed.set()
        for thread in (*threads, desk):
            thread.join(timeout=THREAD_TIMEOUT)
        for person in (*students, librarian):
            person.close()


def _wait(condition: Callable[[], bool], timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return True
        _pause.wait(0.25)
    return False


def _rows(system: System, statement: str) -> list[tuple[Any, ...]]:
    home = Home(system.home)
    connection = psycopg2.connect(
        host=str(home.sockets.resolve() / "postgres"),
        user=OPERATOR_ROLE,
        password=secret(home, OPERATOR_ROLE),
        dbname="luna",
    )
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()
    finally:
        connection.close()


UNFINISHED = """
    SELECT event_type, created_at::text, resends, last_error FROM outbox
    WHERE dead_at IS NOT NULL OR (acked_at IS NULL AND created_at < now() - interval '5 s')
"""
OPEN = """
    SELECT reference, task_type, status, stage, failure_reason FROM delivery_tasks
    WHERE status NOT IN ('COMPLETED', 'CANCELLED')
"""


def _is_drained(system: System, threads: list[threading.Thread]) -> bool:
    if any(thread.is_alive() for thread in threads):
        return False
    try:
        return not _rows(system, UNFINISHED) and not _rows(system, OPEN)
    except psycopg2.OperationalError:
        return False


def _what_is_open(system: System, threads: list[threading.Thread]) -> str:
    alive = sum(thread.is_alive() for thread in threads)
    rows = [*_rows(system, OPEN), *_rows(system, UNFINISHED)]
    return f"not drained within {DRAIN_TIMEOUT:.0f} s: {alive} students wait; {rows}"


def _assert_creations_exist_once(system: System, students: list[Student], ledger: Ledger) -> None:
    """Repeat every creation with its key: the answer is the same row, and no row is added."""
    for creation in ledger.creations:
        status, data = students[creation.student].insist(
            "POST",
            creation.path,
            json=creation.body,
            headers={"Idempotency-Key": creation.key},
        )
        assert (status, data["id"]) == (201, creation.id), creation
    accepted = {
        kind: {row.id for row in ledger.creations if row.path == f"/{kind}"}
        for kind in ("requests", "returns")
    }
    for kind, table in (("requests", "book_requests"), ("returns", "book_returns")):
        stored = {str(row[0]) for row in _rows(system, f"SELECT id FROM {table}")}  # noqa: S608 (two fixed names)
        assert stored == accepted[kind], "lost or invented"
    doubled = "SELECT event_id, user_id FROM notifications GROUP BY 1, 2 HAVING count(*) > 1"
    assert not _rows(system, doubled)
    loans = "SELECT count(*) FROM loans JOIN users ON users.id = user_id WHERE email LIKE 'chaos-%'"
    completed = "SELECT count(*) FROM book_requests WHERE status = 'COMPLETED'"
    assert _rows(system, loans) == _rows(system, completed), "a loan for each request handed over"


def _assert_invariants_hold(system: System) -> None:
    checked = system.luna("check")
    assert checked.returncode == 0, checked.stdout


def test_same_seed_gives_the_same_faults() -> None:
    first, again, other = (list(faults.plan(seed, 600)) for seed in (1, 1, 2))
    assert first == again != other
    assert {fault.kind for fault in first} == set(faults.KINDS)
    assert {fault.part for fault in first} == set(faults.PARTS)
