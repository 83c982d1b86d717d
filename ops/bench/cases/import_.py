"""A bulk import of 100 000 titles as CSV, from the upload to the end of the job.

The comparison is a COPY of the same rows into the same tables, with their indexes and triggers, in
the same run. The memory is the proportional set size of LUNA's own processes, as the first tenth of
the rows is imported and as the last is.
"""

import csv
import io
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg2

from ops.api_client import ApiClient
from ops.bench import Result
from ops.bench.system import System
from ops.native import status
from ops.processes import all_processes

_ROWS, _SHORT_ROWS = 100_000, 3_000
_BAR = 0.15
_MAX_GROWTH = 30.0  # MB
_TIMEOUT = 900.0  # seconds for the job
_POLL = 0.5
_BOOKS = (
    "title, author, publisher, publication_year, subjects, contributors, other_identifiers, version"
)
_COPIES = "condition, custody, robot_transportable, version"


def _file(rows: int) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["title", "author", "publisher", "year", "subjects", "copies"])
    for n in range(rows):
        author = f"Author {n % 5000}"
        writer.writerow([f"Bulk title {n} of volume {n * 7 % 9973}", author, "Luna", 1990, "x", 1])
    return text.getvalue().encode()


def _memory(system: System) -> float:
    """Return the proportional set size of LUNA's Python processes in MB."""
    processes = all_processes()
    found = {int(status.running_state(system.home)["pid"])}
    while more := {each.pid for each in processes if each.parent in found} - found:
        found |= more
    total = 0
    for pid in found:
        with suppress(OSError):  # it has ended meanwhile
            folder = Path(f"/proc/{pid}")
            if (folder / "comm").read_text(encoding="utf-8").startswith("python"):
                lines = (folder / "smaps_rollup").read_text(encoding="ascii").splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def _import(system: System, client: ApiClient, content: bytes) -> tuple[float, list[float]]:
    """Return the seconds from the upload to the end of the job, and the memory at each poll."""
    memory: list[float] = []
    began = time.perf_counter()
    file = {"file": ("books.csv", content, "text/csv")}
    job = client.request("POST", "/books/bulk-import", files=file)["job_id"]
    while time.perf_counter() - began < _TIMEOUT:
        state = client.request("GET", f"/books/bulk-import/{job}")["state"]
        if state not in {"QUEUED", "RUNNING"}:
            assert state == "SUCCEEDED", state
            return time.perf_counter() - began, memory
        memory.append(_memory(system))
        time.sleep(_POLL)
    raise TimeoutError("the import did not end")


def _copy(system: System) -> float:
    """Return the seconds in which COPY writes the imported rows once more."""
    url = system.environment["LUNA_DATABASE_OWNER_URL"].replace("+psycopg2", "")
    database = psycopg2.connect(url)
    books, copies = io.StringIO(), io.StringIO()
    with database, database.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE again AS SELECT id, gen_random_uuid() AS new_id FROM books "
            "WHERE title LIKE 'Bulk title %'"
        )
        cursor.copy_expert(
            f"COPY (SELECT new_id, {_BOOKS}, now(), now() FROM books JOIN again USING (id)) "  # noqa: S608 (constants)
            "TO STDOUT",
            books,
        )
        cursor.copy_expert(
            f"COPY (SELECT gen_random_uuid(), new_id, 'C' || barcode, {_COPIES}, now(), now() "  # noqa: S608 (constants)
            "FROM copies JOIN again ON again.id = copies.book_id) TO STDOUT",
            copies,
        )
        began = time.perf_counter()
        for table, columns, rows in (
            ("books", f"id, {_BOOKS}, created_at, updated_at", books),
            ("copies", f"id, book_id, barcode, {_COPIES}, created_at, updated_at", copies),
        ):
            rows.seek(0)
            cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", rows)
        database.commit()
        taken = time.perf_counter() - began
    database.close()
    return taken


def run(system: System, *, short: bool) -> Iterator[Result]:
    """Import the rows, then copy them."""
    rows = _SHORT_ROWS if short else _ROWS
    librarian = system.account("LIBRARIAN")
    client = ApiClient(system.address, librarian["email"], librarian["password"])
    imported, memory = _import(system, client, _file(rows))
    copied = _copy(system)
    comparison = f"COPY: {rows / copied:,.0f} rows/s"
    figures = {"rows/s": rows / imported, "seconds": imported}
    yield Result("import", copied / imported, "× COPY", _BAR, None, comparison, figures)
    tenth = max(len(memory) // 10, 1)
    first, last = max(memory[: 2 * tenth]), max(memory[-tenth:])
    shown = {"MB at the first tenth": first, "MB at the last": last}
    yield Result("memory added", last - first, "MB", at_most=_MAX_GROWTH, details=shown)
