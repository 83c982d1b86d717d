"""Check-out and check-in at the desk, one scan after another, with 100 000 copies.

The catalogue has 1 000 000 closed loans and as many entries of copy history. Times are those of
the client, through Nginx; the comparison is a read of one loan in the same run.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2

from ops.api_client import ApiClient
from ops.bench import Result, bench_library
from ops.bench.system import System

_COPIES, _HISTORY = 100_000, 1_000_000
_SHORT_COPIES, _SHORT_HISTORY = 5_000, 20_000
_MAX_P95 = 50.0  # ms
_SCANS = 400
_FILL = """
    ALTER TABLE books DISABLE TRIGGER USER;
    ALTER TABLE copies DISABLE TRIGGER USER;
    INSERT INTO books (id, title, author, other_identifiers, contributors, subjects, version,
                       status, copies_total, copies_available, created_at, updated_at)
        SELECT md5('book ' || n)::uuid, 'Desk ' || n, 'Luna', '{}', '{}', '{}', 1,
               'AVAILABLE', 2, 2, now(), now()
        FROM generate_series(1, %(copies)s / 2) AS n;
    INSERT INTO copies (id, book_id, barcode, condition, custody, robot_transportable, version,
                        created_at, updated_at)
        SELECT md5('copy ' || n)::uuid, md5('book ' || (n + 1) / 2)::uuid, 'DESK' || n, 'OK',
               'ON_SHELF', true, 1, now(), now()
        FROM generate_series(1, %(copies)s) AS n;
    INSERT INTO loans (id, copy_id, user_id, borrowed_at, due_at, returned_at, processed_at,
                       renewals, channel, state, policy)
        SELECT md5('loan ' || n)::uuid, md5('copy ' || 1 + n %% %(copies)s)::uuid,
               %(member)s, now() - interval '1 year', now() - interval '11 months',
               now() - interval '11 months', now() - interval '11 months', 0, 'DESK', 'RETURNED',
               '{}'
        FROM generate_series(1, %(history)s) AS n;
    INSERT INTO copy_history (id, copy_id, from_custody, to_custody, from_condition, to_condition,
                              changed_by, created_at)
        SELECT md5('entry ' || n)::uuid, md5('copy ' || 1 + n %% %(copies)s)::uuid, 'ON_LOAN',
               'ON_SHELF', 'OK', 'OK', 'bench', now() - interval '11 months'
        FROM generate_series(1, %(history)s) AS n;
    ALTER TABLE books ENABLE TRIGGER USER;
    ALTER TABLE copies ENABLE TRIGGER USER;
"""


def _fill(system: System, copies: int, history: int) -> None:
    member = bench_library.add_members(system, 1)[0]
    url = system.environment["LUNA_DATABASE_OWNER_URL"].replace("+psycopg2", "")
    database = psycopg2.connect(url)
    database.autocommit = True
    with database.cursor() as cursor:
        cursor.execute(_FILL, {"copies": copies, "history": history, "member": str(member)})
        cursor.execute("VACUUM ANALYZE books, copies, loans, copy_history")
    database.close()


def _time(work: Callable[[], Any], seconds: list[float]) -> Any:
    began = time.perf_counter()
    answered = work()
    seconds.append(time.perf_counter() - began)
    return answered


def _percentile(seconds: list[float], share: float) -> float:
    return sorted(seconds)[int(len(seconds) * share)] * 1000


def run(system: System, *, short: bool) -> Iterator[Result]:
    """Lend and take back one copy after another, each of another title."""
    copies, history = (_SHORT_COPIES, _SHORT_HISTORY) if short else (_COPIES, _HISTORY)
    _fill(system, copies, history)
    librarian = system.account("LIBRARIAN")
    client = ApiClient(system.address, librarian["email"], librarian["password"])
    members = bench_library.add_members(system, 40)
    times: dict[str, list[float]] = {"check out": [], "check in": [], "read a loan": []}
    for number in range(50 if short else _SCANS):
        barcode = f"DESK{1 + number * 7 % copies}"
        body = {"user_id": str(members[number % len(members)]), "copy_barcode": barcode}
        back = {"copy_barcode": barcode}
        lend = _call(client, "POST", "/loans", body)
        loan = _time(lend, times["check out"])
        _time(_call(client, "GET", f"/loans/{loan['id']}", None), times["read a loan"])
        _time(_call(client, "POST", "/loans/check-in", back), times["check in"])
    read = _percentile(times["read a loan"], 0.95)
    for name in ("check out", "check in"):
        p95 = _percentile(times[name], 0.95)
        figures = {"p50 ms": _percentile(times[name], 0.5), "scans": len(times[name])}
        comparison = f"read a loan: {read:.1f} ms p95"
        yield Result(name, p95, "ms p95", None, _MAX_P95, comparison, figures)


def _call(
    client: ApiClient, method: str, path: str, body: dict[str, Any] | None
) -> Callable[[], Any]:
    return lambda: client.request(method, path, json=body)
