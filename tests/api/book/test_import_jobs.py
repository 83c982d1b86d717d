"""Import jobs: batches, killed workers, redelivered events, concurrent jobs."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from backend.book.imports import jobs
from backend.shared.infra import clock, database
from backend.shared.messaging import celery_app, outbox
from backend.shared.models import OutboxEvent
from tests import event_runner
from tests.api.book.catalogue_client import CatalogueClient
from tests.api.book.import_client import (
    EMMA,
    HEADER,
    import_text,
    outcome_counts,
    read_job,
    row_issues,
    upload,
)


class _KilledError(Exception):
    pass


@pytest.mark.parametrize("killed_after", [0, 1, 2])
def test_killed_worker_imports_no_row_twice(
    catalogue: CatalogueClient, monkeypatch: pytest.MonkeyPatch, killed_after: int
) -> None:
    """The worker is killed before a commit; the relay sends the event again."""
    monkeypatch.setattr(jobs, "MAX_BATCH_ROWS", 4)
    publish, batches = outbox.publish, 0

    def publish_or_die(session: Any, event: Any) -> Any:
        nonlocal batches
        if event.TYPE == "catalog.import.progressed":
            batches += 1
            if batches == killed_after + 1:
                raise _KilledError
        return publish(session, event)

    monkeypatch.setattr(outbox, "publish", publish_or_die)
    rows = [f"Book {number},Author,,{number}" for number in range(1900, 1910)]
    job_id = upload(catalogue, "b.csv", "\n".join([HEADER, *rows]).encode()).json()["data"][
        "job_id"
    ]
    with pytest.raises(_KilledError):
        event_runner.run_events()
    assert read_job(catalogue, job_id)["processed"] == 4 * killed_after
    event_runner.run_events()
    job = read_job(catalogue, job_id)
    assert (job["state"], job["processed"], outcome_counts(job)) == ("SUCCEEDED", 10, (10, 0, 0, 0))
    assert len(row_issues(catalogue, job_id)) == job["warnings"] == 10
    assert catalogue.get("/books").json()["pagination"]["total"] == 10


def test_redelivered_event_changes_nothing(catalogue: CatalogueClient) -> None:
    job = import_text(catalogue, HEADER, EMMA)
    with database.transaction() as session:
        jobs.import_batch(session, job["id"])
    assert read_job(catalogue, job["id"]) == job


def test_job_with_dead_letter_fails(catalogue: CatalogueClient) -> None:
    response = upload(catalogue, "b.csv", f"{HEADER}\n{EMMA}".encode())
    job_id = response.json()["data"]["job_id"]
    event_runner.run_periodic("catalog.end_dead_imports")
    assert read_job(catalogue, job_id)["state"] == "QUEUED"
    with database.transaction() as session:
        session.execute(update(OutboxEvent).values(dead_at=clock.now()))
    event_runner.run_periodic("catalog.end_dead_imports")
    job = read_job(catalogue, job_id)
    assert (job["state"], job["processed"]) == ("FAILED", 0)
    assert job["problem"] == "The import failed repeatedly after 0 rows, which are imported."


def test_concurrent_imports_of_one_file_create_each_title_once(catalogue: CatalogueClient) -> None:
    rows = [f"Book {number},Author,," for number in range(50)]
    content = "\n".join([HEADER, *rows]).encode()
    job_ids = [upload(catalogue, "b.csv", content).json()["data"]["job_id"] for _ in range(2)]

    def work(job_id: str) -> None:
        with database.transaction() as session:
            jobs.import_batch(session, UUID(job_id))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, job_ids))
    done = sorted(outcome_counts(read_job(catalogue, job_id)) for job_id in job_ids)
    assert done == [(0, 0, 50, 0), (50, 0, 0, 0)]


def test_batches_may_split_file_at_any_byte(
    catalogue: CatalogueClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pieces end within characters, quotes and lines; no row is lost or duplicated."""
    from backend.book.imports import csv_parser

    monkeypatch.setattr(jobs, "MAX_BATCH_ROWS", 2)
    monkeypatch.setattr(csv_parser, "PIECE_BYTES", 7)
    rows = [f'"Füße, ""{n}""\r\nand more",Ärzte {n},,{1900 + n}' for n in range(9)]
    job = import_text(catalogue, HEADER, *rows)
    assert (job["total"], outcome_counts(job)) == (9, (9, 0, 0, 0))
    assert [row["row"] for row in row_issues(catalogue, job["id"])] == list(range(2, 20, 2))
    assert catalogue.titles(q='füße "3" and more') == ['Füße, "3" and more']


def test_import_consumer_is_registered() -> None:
    event_runner.run_events()
    assert "catalog.import_batch" in celery_app.celery.tasks
