"""Limits of imports: time, memory, cancellation, unstorable characters, plans of statements."""

import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from backend.book.imports import csv_parser, format_detection, jobs, upsert
from backend.book.schemas.imports import ImportedBook
from backend.shared.infra import database
from backend.shared.messaging import celery_app
from backend.shared.messaging.subscriptions import DISPATCH, IMPORT, queue_of
from backend.shared.models import Book, ImportFile, ImportJob
from tests import event_runner
from tests.api.book.catalogue_client import CatalogueClient
from tests.api.book.import_client import (
    EMMA,
    HEADER,
    PATH,
    codes,
    import_file,
    import_json,
    outcome_counts,
    read_job,
    row_issues,
    upload,
)


def _pieces(content: bytes) -> Callable[[int], bytes | None]:
    size = csv_parser.PIECE_BYTES
    return lambda number: content[number * size : (number + 1) * size] or None


def _parse(content: bytes) -> list[csv_parser.Record]:
    pieces = _pieces(content)
    layout = csv_parser.detect_layout(pieces, csv_parser.CSV, "utf-8")
    return list(csv_parser.read_records(pieces, layout, layout.offset, layout.line))


def _seconds(content: bytes) -> float:
    start = time.process_time()
    _parse(content)
    return time.process_time() - start


@pytest.mark.parametrize("row", [b'Never,"closed\n', b'a","b\n', b'"\n', b'x,"y\n"",\n'])
def test_time_to_read_quotes_that_never_close_is_linear(row: bytes) -> None:
    header = b"title,author\n"
    small, large = (header + row * (size // len(row)) for size in (250_000, 1_000_000))
    _seconds(small)
    assert _seconds(large) < 12 * max(_seconds(small), 0.05)


def test_unclosed_quote_refuses_only_its_own_row() -> None:
    good = b'"Two\nlines",Someone\n'
    records = _parse(b"title,author\nBefore,A\n" + b'Open,"quote\n' + good * 50)
    problems = [record.line for record in records if record.problem]
    assert (problems, len(records)) == ([3], 52)


def test_row_longer_than_a_record_is_refused_and_the_next_is_read() -> None:
    long = b"x" * (3 * csv_parser.PIECE_BYTES)
    records = _parse(b"title,author\n" + long + b",A\nNext,B\n" + b'"' + long + b'",C\nLast,D\n')
    assert [(record.line, record.problem is None) for record in records] == [
        (2, False),
        (3, True),
        (4, False),
        (5, True),
    ]


def test_json_body_is_read_in_constant_memory() -> None:
    element = b'{"title": "T", "subjects": ' + b"[" * 500 + b"]" * 500 + b"},"
    body = b'{"books": [' + element * 1000 + b'{"title": "Last"}], "dry_run": true}'
    tracemalloc.start()
    uploaded, dry_run = format_detection.read_json(BytesIO(body), BytesIO())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    uploaded.content.seek(0)
    assert (sum(1 for _ in uploaded.content), dry_run) == (1001, True)
    assert peak < 10 * 1024 * 1024  # its objects as a whole take 36 MB


def test_cancelled_job_stops_between_two_batches(
    catalogue: CatalogueClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MAX_BATCH_ROWS", 2)
    rows = [f"Book {number},Author,,{number}" for number in range(1900, 1910)]
    content = "\n".join([HEADER, *rows]).encode()
    job_id = upload(catalogue, "b.csv", content).json()["data"]["job_id"]
    with database.transaction() as session:
        jobs.import_batch(session, UUID(job_id))
    first, again = (_cancel(catalogue, job_id) for _ in range(2))
    assert (first.status_code, first.json()["data"]["state"]) == (200, "CANCELLED")
    assert again.json()["data"] == first.json()["data"]
    event_runner.run_events()
    job = read_job(catalogue, job_id)
    assert (job["state"], job["processed"], outcome_counts(job)) == ("CANCELLED", 2, (2, 0, 0, 0))
    with database.transaction() as session:
        assert session.execute(select(func.count()).select_from(ImportFile)).scalar_one() == 0


def test_finished_job_cannot_be_cancelled(catalogue: CatalogueClient) -> None:
    job = import_file(catalogue, "b.csv", f"{HEADER}\n{EMMA}".encode())
    response = _cancel(catalogue, job["id"])
    assert (response.status_code, response.json()["error"]["code"]) == (
        409,
        "INVALID_STATE_TRANSITION",
    )
    assert _cancel(catalogue, str(UUID(int=0))).status_code == 404


def test_cancellation_does_not_wait_for_a_batch_being_read(
    catalogue: CatalogueClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch that was being read imports nothing."""
    job_id = upload(catalogue, "b.csv", f"{HEADER}\n{EMMA}".encode()).json()["data"]["job_id"]
    read = jobs._next_batch  # noqa: SLF001 (the point at which the batch is interrupted)

    def read_then_wait(*words: Any) -> Any:
        batch = read(*words)
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(_cancel, catalogue, job_id).result().status_code == 200
        return batch

    monkeypatch.setattr(jobs, "_next_batch", read_then_wait)
    event_runner.run_events()
    assert read_job(catalogue, job_id)["state"] == "CANCELLED"
    with database.transaction() as session:
        assert session.execute(select(func.count()).select_from(Book)).scalar_one() == 0


def test_nul_in_a_field_refuses_its_row(catalogue: CatalogueClient) -> None:
    content = f"{HEADER}\n{EMMA}\nNul\0,Someone,,\nPersuasion,Jane Austen,,1817\n"
    job = import_file(catalogue, "b.csv", content.encode())
    assert outcome_counts(job) == (2, 0, 0, 1)
    assert (3, "ERROR", "VALUE_INVALID") in codes(catalogue, job)
    refused = row_issues(catalogue, job["id"], severity="ERROR")
    assert [row["value"] for row in refused] == ["Nul␀"]


def test_file_name_with_nul_is_stored_without_it(catalogue: CatalogueClient) -> None:
    for name in ("b\0.csv", "b\ud800.csv", "x" * 1000):
        body = (
            b'--B\r\nContent-Disposition: form-data; name="file"; filename="%b"\r\n\r\n%b\r\n--B--'
        )
        raw = name.encode(errors="surrogatepass")
        response = catalogue.api.post(
            PATH,
            content=body % (raw, f"{HEADER}\n{EMMA}".encode()),
            headers={
                **catalogue.librarian.headers,
                "Content-Type": "multipart/form-data; boundary=B",
            },
        )
        assert response.status_code == 202, response.text
        stored = read_job(catalogue, response.json()["data"]["job_id"])["file_name"]
        assert "\0" not in stored
        assert 0 < len(stored) <= 255


def test_lone_surrogate_in_json_refuses_its_book(catalogue: CatalogueClient) -> None:
    headers = {**catalogue.librarian.headers, "Content-Type": "application/json"}
    body = b'{"books": [{"title": "\\ud800", "author": "X"}, {"title": "Fine", "author": "X"}]}'
    response = catalogue.api.post(PATH, content=body, headers=headers)
    event_runner.run_events()
    assert outcome_counts(read_job(catalogue, response.json()["data"]["job_id"])) == (1, 0, 0, 1)


def test_books_of_a_json_body_may_be_large_together(catalogue: CatalogueClient) -> None:
    books = [{"title": f"T{n}", "author": "X", "description": "d" * 9000} for n in range(300)]
    assert outcome_counts(import_json(catalogue, *books)) == (300, 0, 0, 0)


def test_imports_and_dispatch_have_separate_workers() -> None:
    assert queue_of(IMPORT) in celery_app.IMPORT_QUEUES
    assert queue_of(DISPATCH) in celery_app.QUEUES
    assert not set(celery_app.QUEUES) & set(celery_app.IMPORT_QUEUES)


def _cancel(catalogue: CatalogueClient, job_id: str) -> Any:
    return catalogue.api.put(f"{PATH}/{job_id}/cancel", headers=catalogue.librarian.headers)


_ROWS_READ = text(
    "SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname IN ('books', 'copies')"
)


def _import(session: Session, job: ImportJob, name: str, count: int) -> None:
    titles = [ImportedBook(title=f"{name} {number}", author="A. Writer") for number in range(count)]
    upsert.upsert_books(session, job.id, list(enumerate(titles, start=1)))


def test_large_batch_after_small_ones_reads_no_whole_table_for_each_row(
    clean: None, owner: Engine
) -> None:
    with Session(owner) as session:
        job = ImportJob(format="csv")
        session.add(job)
        session.flush()
        _import(session, job, "first", 30)
        session.execute(text("ANALYZE books, copies"))
        for number in range(8):  # PostgreSQL keeps a plan after its fifth use
            _import(session, job, f"small {number}", 2)
        before = session.execute(_ROWS_READ).scalar_one()
        _import(session, job, "large", 1000)
        assert session.execute(_ROWS_READ).scalar_one() - before < 20_000
