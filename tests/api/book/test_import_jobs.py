"""An import as a job: batches, workers that die, events that come twice, jobs at once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from backend.book import imports
from backend.book.imports import jobs
from backend.shared.infra import clock, database
from backend.shared.messaging import celery_app, outbox
from backend.shared.models import ImportState, OutboxEvent
from tests import event_runner
from tests.api.book.catalogue_client import Library
from tests.api.book.import_client import (
    GOOD,
    HEAD,
    counts,
    hand_in,
    import_file,
    import_text,
    read_job,
    remarks,
)


class _KilledError(Exception):
    pass


@pytest.mark.parametrize("dies_after", [0, 1, 2])
def test_a_worker_killed_in_the_middle_doubles_nothing(
    library: Library, monkeypatch: pytest.MonkeyPatch, dies_after: int
) -> None:
    """It dies with a batch done but not committed; the relay sends the event again."""
    monkeypatch.setattr(jobs, "_BATCH_ROWS", 4)
    publish, batches = outbox.publish, 0

    def dying(session: Any, event: Any) -> Any:
        nonlocal batches
        if event.TYPE == "catalog.import.progressed":
            batches += 1
            if batches == dies_after + 1:
                raise _KilledError
        return publish(session, event)

    monkeypatch.setattr(outbox, "publish", dying)
    rows = [f"Book {number},Author,,{number}" for number in range(1900, 1910)]
    job_id = hand_in(library, "b.csv", "\n".join([HEAD, *rows]).encode()).json()["data"]["job_id"]
    with pytest.raises(_KilledError):
        event_runner.run_events()
    assert read_job(library, job_id)["processed"] == 4 * dies_after
    event_runner.run_events()
    job = read_job(library, job_id)
    assert (job["state"], job["processed"], counts(job)) == ("SUCCEEDED", 10, (10, 0, 0, 0))
    assert len(remarks(library, job_id)) == job["warnings"] == 10
    assert library.get("/books").json()["pagination"]["total"] == 10


def test_an_event_that_comes_twice_is_done_once(library: Library) -> None:
    job = import_text(library, HEAD, GOOD)
    with database.transaction() as session:
        jobs.do_batch(session, job["id"])
    assert read_job(library, job["id"]) == job


def test_a_job_whose_event_is_a_dead_letter_ends_as_failed(library: Library) -> None:
    answer = hand_in(library, "b.csv", f"{HEAD}\n{GOOD}".encode())
    job_id = answer.json()["data"]["job_id"]
    event_runner.run_periodic("catalog.end_dead_imports")
    assert read_job(library, job_id)["state"] == "QUEUED"
    with database.transaction() as session:
        session.execute(update(OutboxEvent).values(dead_at=clock.now()))
    event_runner.run_periodic("catalog.end_dead_imports")
    job = read_job(library, job_id)
    assert (job["state"], job["processed"]) == ("FAILED", 0)
    assert job["problem"]


def test_two_imports_of_one_file_at_once_make_no_title_twice(library: Library) -> None:
    rows = [f"Book {number},Author,," for number in range(50)]
    content = "\n".join([HEAD, *rows]).encode()
    jobs_ids = [hand_in(library, "b.csv", content).json()["data"]["job_id"] for _ in range(2)]

    def work(job_id: str) -> None:
        with database.transaction() as session:
            jobs.do_batch(session, UUID(job_id))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, jobs_ids))
    done = sorted(counts(read_job(library, job_id)) for job_id in jobs_ids)
    assert done == [(0, 0, 50, 0), (50, 0, 0, 0)]


def test_batches_meet_at_any_byte(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces and batches end within characters, quotes and lines; no row is lost or doubled."""
    from backend.book.imports import csv_parser

    monkeypatch.setattr(jobs, "_BATCH_ROWS", 2)
    monkeypatch.setattr(csv_parser, "PIECE", 7)
    rows = [f'"Füße, ""{n}""\r\nand more",Ärzte {n},,{1900 + n}' for n in range(9)]
    job = import_text(library, HEAD, *rows)
    assert (job["total"], counts(job)) == (9, (9, 0, 0, 0))
    assert [row["row"] for row in remarks(library, job["id"])] == list(range(2, 20, 2))
    assert library.titles(q='füße "3" and more') == ['Füße, "3" and more']


def test_a_file_that_turns_out_unreadable_ends_the_job_with_its_reason(library: Library) -> None:
    job = import_file(library, "b.csv", b"title,author\n" + b"x" * 2_200_000)
    assert job["state"] == ImportState.FAILED
    assert "longer than 1 MiB" in job["problem"]
    assert library.titles() == []


def test_the_demo_library_loads_in_the_callers_transaction(library: Library) -> None:
    books = [{"title": f"T{n}", "author": "A", "copies": 2, "subjects": ["s"]} for n in range(3)]
    for wanted in ((3, 0, 0), (0, 0, 3)):
        with database.transaction() as session:
            outcome = imports.load(session, books)
            assert (outcome.created, outcome.updated, outcome.unchanged) == wanted
            assert {remark.code for remark in outcome.remarks} == {"ISBN_MISSING"}
    assert library.get("/books").json()["data"][0]["copies_total"] == 2


def test_the_import_consumer_is_on_the_list_of_reactions() -> None:
    event_runner.run_events()
    assert "catalog.import_batch" in celery_app.celery.tasks
