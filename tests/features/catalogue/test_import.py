"""Import titles from a CSV file as a background job.

upload → 202 with the job's address → event → Celery task reads, validates and stores the rows in
batches → the job counts created, updated and failed rows; each failed row has its reason.

FastAPI receives the file, Celery runs the job, Pydantic validates a row, python-stdnum checks the
ISBN, SQLAlchemy writes the batch in one transaction.
"""

from tests.scenario import Scenario

CSV = b"""title,author,isbn,copies
Emma,Jane Austen,9780141439587,2
Persuasion,Jane Austen,9780141439588,1
,Jane Austen,,1
"""


def test_librarian_imports_a_file_and_reads_why_a_row_failed(scenario: Scenario) -> None:
    accepted = scenario.call(
        scenario.librarian,
        "POST",
        "/books/bulk-import",
        202,
        files={"file": ("books.csv", CSV, "text/csv")},
    ).json()["data"]
    scenario.run_events()
    path = f"/books/bulk-import/{accepted['job_id']}"
    job = scenario.get(scenario.librarian, path)
    issues = scenario.get(scenario.librarian, f"{path}/rows")
    assert (job["state"], job["created"], job["failed"]) == ("SUCCEEDED", 2, 1)
    assert [(issue["row"], issue["severity"], issue["field"]) for issue in issues] == [
        (3, "WARNING", "isbn"),  # imported without its invalid ISBN
        (4, "ERROR", "title"),
    ]
