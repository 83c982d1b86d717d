"""Requests for a book created per second, each in its transaction, at 16 connections.

A ratio to a bare asynchronous FastAPI route behind a bare Nginx.
"""

from collections.abc import Iterator
from pathlib import Path

from ops.bench import Result, bench_library, hello, load
from ops.bench.load import Target
from ops.bench.system import System
from ops.servers import prerequisites

_BAR = 0.05
_MEMBERS, _BOOKS = 300, 60  # each member asks for each title once at most, under the loan limit
_PLACE = "Study Room 201"
_SCRIPT = """
local members = {%s}
local books = {%s}
local number = -1
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
  number = number + 1
  local member = members[number %% #members + 1]
  local round = math.floor(number / #members)
  local book = books[(round + number) %% #books + 1]
  return wrk.format(nil, nil, nil, string.format(
    '{"book_id":"%%s","request_location":"%s","user_id":"%%s"}', book, member))
end
"""


def _script(system: System, round_: int) -> Path:
    members = bench_library.add_members(system, _MEMBERS)
    books = bench_library.add_books(system, _BOOKS, copies=_MEMBERS // 10)
    file = system.folder / f"create-{round_}.lua"
    lists = [", ".join(f'"{each}"' for each in found) for found in (members, books)]
    file.write_text(_SCRIPT % (*lists, _PLACE), encoding="utf-8")
    return file


def run(system: System, *, short: bool) -> Iterator[Result]:
    """Alternate between new members who ask for new books and the hello."""
    url, headers = f"{system.address}/api/v1/requests", system.sign_in("LIBRARIAN")
    hellos: list[load.Load] = []
    creates: list[load.Load] = []
    with hello.running(prerequisites.ensure().nginx, system.folder) as address:
        load.measure(Target("hello", address), 1)
        for round_ in range(1 if short else 5):
            target = Target("create", url, headers, _script(system, round_))
            creates.append(load.measure(target, 1 if short else 3))
            hellos.append(load.measure(Target("hello", address), 1 if short else 3))
    bare, own = load.median(hellos), load.median(creates)
    comparison = f"bare hello: {bare.rate:,.0f} requests/s, p99 {bare.p99:.0f} ms"
    figures = {"requests/s": own.rate, "p99 ms": own.p99, "failed": own.failed}
    value = own.rate / bare.rate if own.failed == 0 else 0.0
    yield Result("create a request", value, "× hello", _BAR, None, comparison, figures)
