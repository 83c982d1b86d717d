"""Requests for a book created per second, each in its transaction, at 16 connections.

A ratio to a bare asynchronous FastAPI route behind a bare Nginx.
"""

import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from uuid import UUID

from sqlalchemy import create_engine, text

from ops.bench import Result, bench_library, hello, load
from ops.bench.load import Target
from ops.bench.system import System
from ops.servers import prerequisites

_BAR = 0.05
_MAX_RATE = 1500  # requests a second that the members and copies of a round suffice for
_EACH = 15  # requests of a member, under the loan limit and each for another title
_PLACE = "Study Room 201"
_DRAIN_TIMEOUT = 20.0  # seconds
_PENDING = text("SELECT count(*) FROM outbox WHERE acked_at IS NULL AND dead_at IS NULL")
_SCRIPT = """
local members = {%s}
local books = {%s}
local number = -1
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
  number = number + 1
  local member = members[number %% #members + 1]
  local book = books[number %% #books + 1]
  return wrk.format(nil, nil, nil, string.format(
    '{"book_id":"%%s","request_location":"%s","user_id":"%%s"}', book, member))
end
"""


def _script(system: System, round_: int, books: Sequence[UUID]) -> Path:
    """Write the script of a round, in which each title is asked for once, in any order."""
    members = bench_library.add_members(system, len(books) // _EACH)
    books = Random(round_).sample(books, len(books))  # noqa: S311 (a workload)
    file = system.folder / f"create-{round_}.lua"
    lists = [", ".join(f'"{each}"' for each in found) for found in (members, books)]
    file.write_text(_SCRIPT % (*lists, _PLACE), encoding="utf-8")
    return file


def _wait_for_events(system: System) -> None:
    """Wait until the events of what was created are processed, or for some seconds at most."""
    engine = create_engine(system.environment["LUNA_DATABASE_OWNER_URL"])
    deadline = time.monotonic() + _DRAIN_TIMEOUT
    with engine.connect() as connection:
        while connection.execute(_PENDING).scalar_one() and time.monotonic() < deadline:
            connection.rollback()  # the next select sees what was committed meanwhile
            time.sleep(0.1)
    engine.dispose()


def run(system: System, *, short: bool) -> Iterator[Result]:
    """Alternate between the hello and new members who ask for new books.

    The first second of creates is not counted: it prepares statements and fills pools. Neither do
    the events of one round delay the hello of the next.
    """
    url, headers = f"{system.address}/api/v1/requests", system.sign_in("LIBRARIAN")
    hellos: list[load.Load] = []
    creates: list[load.Load] = []
    rounds, seconds = (2, 1) if short else (5, 3)
    # As in a library, many titles are asked for, each seldom; one always has a copy left.
    books = bench_library.add_books(system, _MAX_RATE * seconds, copies=rounds + 2)
    with hello.running(prerequisites.ensure().nginx, system.folder) as address:
        bare = Target("hello", address)
        load.measure(bare, 1)
        load.measure(Target("create", url, headers, _script(system, 0, books)), 1)
        for round_ in range(1, rounds + 1):
            target = Target("create", url, headers, _script(system, round_, books))
            _wait_for_events(system)
            hellos.append(load.measure(bare, seconds))
            creates.append(load.measure(target, seconds))
    own, other = load.median(creates), load.median(hellos)
    ratios = [created.rate / found.rate for created, found in zip(creates, hellos, strict=True)]
    comparison = f"bare hello: {other.rate:,.0f} requests/s, p99 {other.p99:.0f} ms"
    figures = {"requests/s": own.rate, "p99 ms": own.p99, "failed": own.failed}
    value = statistics.median(ratios) if own.failed == 0 else 0.0
    yield Result("create a request", value, "× hello", _BAR, None, comparison, figures)
