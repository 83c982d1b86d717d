"""A bulk import of 100 000 titles as CSV, from the upload to the end of the job.

The comparison is a COPY of the same rows into the same tables, with their indexes and triggers, in
the same run.
"""

import csv
import io
import time
from collections.abc import Iterator

import psycopg2

from ops.api_client import ApiClient
from ops.bench import Result
from ops.bench.system import System

_ROWS, _SHORT_ROWS = 100_000, 3_000
_BAR = 0.15
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


def _import(client: ApiClient, content: bytes) -> float:
    """Return the seconds from the upload to the end of the job."""
    began = time.perf_counter()
    file = {"file": ("books.csv", content, "text/csv")}
    job = client.request("POST", "/books/bulk-import", files=file)["job_id"]
    while time.perf_counter() - began < _TIMEOUT:
        state = client.request("GET", f"/books/bulk-import/{job}")["state"]
        if state not in {"QUEUED", "RUNNING"}:
            assert state == "SUCCEEDED", state
            return time.perf_counter() - began
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
    imported = _import(client, _file(rows))
    copied = _copy(system)
    comparison = f"COPY: {rows / copied:,.0f} rows/s"
    figures = {"rows/s": rows / imported, "seconds": imported}
    yield Result("import", copied / imported, "× COPY", _BAR, None, comparison, figures)
