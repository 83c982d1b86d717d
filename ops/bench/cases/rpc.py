"""BorrowBook and ReturnBook in turn against the same two REST calls, through the gateway.

Eight clients, each with its own member and copy: wrk for REST and Connect (JSON over HTTP/1.1),
h2load for native gRPC (TLS and HTTP/2). Requires h2load (Debian: nghttp2-client).
"""

import json
import os
import re
import shutil
import struct
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from ops.bench import Result, bench_library, load
from ops.bench.load import Load
from ops.bench.system import System
from ops.servers.prerequisites import MissingProgramsError, Prerequisite, install

CLIENTS = 8
BARS = {"Connect JSON": 0.9, "native gRPC": 0.6}
_LIBRARY = "luna.v1.LibraryService"
# One thread of wrk is one client: it borrows its copy and returns it.
_SCRIPT = """
local copies = {copies}
local members = {members}
local threads = 0
function setup(thread) threads = threads + 1; thread:set("number", threads) end
local borrowed = false
function request()
  borrowed = not borrowed
  local copy, member = copies[number], members[number]
  if borrowed then
    return wrk.format("POST", "{borrow}", nil, string.format('{borrow_body}', member, copy))
  end
  return wrk.format("POST", "{give_back}", nil, string.format('{return_body}', copy))
end
"""


@dataclass(frozen=True)
class Library:
    """The clients' members and copies, and staff's Authorization header."""

    members: list[str]
    barcodes: list[str]
    headers: dict[str, str]


def _prepare(system: System) -> Library:
    api, admin = f"{system.address}/api/v1", system.sign_in("ADMIN")
    headers = system.sign_in("LIBRARIAN")
    members, barcodes = [], []
    for number, book in enumerate(bench_library.add_books(system, CLIENTS, copies=1)):
        person = {"email": f"borrower{number}@luna.example", "first_name": "B", "last_name": "R"}
        made = httpx.post(f"{api}/auth/users", json=person, headers=admin, timeout=15)
        members.append(made.raise_for_status().json()["data"]["id"])
        found = httpx.get(f"{api}/books/{book}", headers=headers, timeout=15)
        barcodes.append(found.raise_for_status().json()["data"]["copies"][0]["barcode"])
    return Library(members, barcodes, headers)


def _lua(values: list[str]) -> str:
    return "{" + ", ".join(json.dumps(value) for value in values) + "}"


def _script(system: System, library: Library, name: str, **texts: str) -> Path:
    file = system.folder / f"{name}.lua"
    text = _SCRIPT.replace("{copies}", _lua(library.barcodes))
    text = text.replace("{members}", _lua(library.members))
    for key, value in texts.items():
        text = text.replace(f"{{{key}}}", value)
    file.write_text(text, encoding="utf-8")
    return file


def _wrk(system: System, library: Library, script: Path, seconds: float) -> Load:
    words = [f"-t{CLIENTS}", f"-c{CLIENTS}", f"-d{max(1, round(seconds))}s", "--latency"]
    for name, value in {**library.headers, "Content-Type": "application/json"}.items():
        words += ["-H", f"{name}: {value}"]
    _return_all(system, library)
    done = subprocess.run(  # noqa: S603 — wrk, no shell
        [str(load.wrk()), *words, "-s", str(script), system.address],
        capture_output=True,
        text=True,
        check=True,
    )
    return load.parsed(done.stdout)


def _find() -> Path | None:
    found = shutil.which("h2load")
    return Path(found) if found else None


def h2load() -> Path:
    """Return the path of h2load, installed by apt where that is allowed."""
    found = _find()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install([Prerequisite("h2load", _find, ("nghttp2-client",))])
        found = _find()
    if found is None:
        raise MissingProgramsError(
            "luna bench rpc needs h2load. On Debian or Ubuntu: apt-get install nghttp2-client"
        )
    return found


def _field(number: int, text: str) -> bytes:
    return bytes([number << 3 | 2, len(text)]) + text.encode()


def _one_native_client(system: System, library: Library, number: int, seconds: float) -> float:
    """Run one client; both methods read the copy from field 3, and ReturnBook skips field 1."""
    message = _field(1, library.members[number]) + _field(3, library.barcodes[number])
    body = system.folder / f"native{number}.bin"
    body.write_bytes(b"\0" + struct.pack(">I", len(message)) + message)
    addresses = system.folder / "native.txt"
    paths = [f"{system.tls_address}/{_LIBRARY}/{name}" for name in ("BorrowBook", "ReturnBook")]
    addresses.write_text("\n".join(paths) + "\n", encoding="utf-8")
    words = [str(h2load()), "-c1", "-m1", "-t1", f"-D{max(1, round(seconds))}", "-d", str(body)]
    headers = {**library.headers, "content-type": "application/grpc", "te": "trailers"}
    for name, value in headers.items():
        words += ["-H", f"{name}: {value}"]
    done = subprocess.run(  # noqa: S603 — h2load, no shell
        [*words, "-i", str(addresses)],
        capture_output=True,
        text=True,
        check=False,  # it ends with 1 when the time cuts a call off
    )
    found = re.search(r"finished in .*?, ([\d.]+) req/s", done.stdout)
    return float(found.group(1)) if found and " 0 failed, 0 errored" in done.stdout else 0.0


def _native(system: System, library: Library, seconds: float) -> float:
    _return_all(system, library)
    with ThreadPoolExecutor(CLIENTS) as pool:
        rates = pool.map(
            lambda number: _one_native_client(system, library, number, seconds), range(CLIENTS)
        )
        return sum(rates)


def _loans(system: System, library: Library) -> int:
    """Count the loans, to see that calls did what they should."""
    found = httpx.get(f"{system.address}/api/v1/loans", headers=library.headers, timeout=15)
    total: int = found.raise_for_status().json()["pagination"]["total"]
    return total


def run(system: System, *, short: bool) -> Iterator[Result]:
    """Alternate between the three and compare each with REST."""
    h2load()
    library = _prepare(system)
    rest = _script(
        system,
        library,
        "rest",
        borrow="/api/v1/loans",
        give_back="/api/v1/loans/check-in",
        borrow_body='{"user_id":"%s","copy_barcode":"%s"}',
        return_body='{"copy_barcode":"%s"}',
    )
    connect = _script(
        system,
        library,
        "connect",
        borrow=f"/{_LIBRARY}/BorrowBook",
        give_back=f"/{_LIBRARY}/ReturnBook",
        borrow_body='{"memberId":"%s","copyBarcode":"%s"}',
        return_body='{"copyBarcode":"%s"}',
    )
    rounds, seconds = (1, 2) if short else (5, 3)
    rates: dict[str, list[float]] = {"REST": [], "Connect JSON": [], "native gRPC": []}
    failed = 0
    before = _loans(system, library)
    for number in range(rounds + 1):  # the first fills caches and pools
        found = [_wrk(system, library, script, seconds) for script in (rest, connect)]
        measured = [*(each.rate for each in found), _native(system, library, seconds)]
        if number:
            failed += sum(each.failed for each in found)
            for name, rate in zip(rates, measured, strict=True):
                rates[name].append(rate)
    median = {name: sorted(each)[len(each) // 2] for name, each in rates.items()}
    lent = _loans(system, library) - before
    for name, bar in BARS.items():
        yield _compared(name, bar, median, {"failed": float(failed), "loans": float(lent)})


def _compared(name: str, bar: float, rates: dict[str, float], counts: dict[str, float]) -> Result:
    """Compare with REST; 0 when calls failed: the end of a load may cut one off, not more."""
    valid = counts["loans"] > 0 and counts["failed"] * 100 <= counts["loans"]
    value = rates[name] / rates["REST"] if valid else 0.0
    comparison = f"REST: {rates['REST']:,.0f} requests/s"
    return Result(
        name, value, "× REST", bar, None, comparison, {"requests/s": rates[name], **counts}
    )


def _return_all(system: System, library: Library) -> None:
    """Return the copies that the last load ended with, so that the next begins with free ones."""
    for barcode in library.barcodes:
        httpx.post(
            f"{system.address}/api/v1/loans/check-in",
            json={"copy_barcode": barcode},
            headers=library.headers,
            timeout=15,
        )
