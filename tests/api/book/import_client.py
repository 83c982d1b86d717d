"""A client of the import API: upload files and follow their jobs."""

from typing import Any

from tests import event_runner
from tests.api.book.catalogue_client import CatalogueClient

PATH = "/api/v1/books/bulk-import"
HEADER = "title,author,isbn,year"
EMMA = "Emma,Jane Austen,9780141439587,1815"


def upload(catalogue: CatalogueClient, name: str, content: bytes, **form: str) -> Any:
    files = {"file": (name, content, "text/csv")}
    return catalogue.api.post(PATH, files=files, data=form, headers=catalogue.librarian.headers)


def import_file(
    catalogue: CatalogueClient, name: str, content: bytes, **form: str
) -> dict[str, Any]:
    """Upload a file, run all events and return the job."""
    return _finished_job(catalogue, upload(catalogue, name, content, **form))


def import_text(catalogue: CatalogueClient, *lines: str, encoding: str = "utf-8") -> dict[str, Any]:
    """Import a CSV file of these lines."""
    return import_file(catalogue, "books.csv", "\r\n".join(lines).encode(encoding))


def import_json(catalogue: CatalogueClient, *books: Any) -> dict[str, Any]:
    headers = catalogue.librarian.headers
    return _finished_job(
        catalogue, catalogue.api.post(PATH, json={"books": books}, headers=headers)
    )


def read_job(catalogue: CatalogueClient, job_id: str) -> dict[str, Any]:
    data: dict[str, Any] = catalogue.staff_get(f"/books/bulk-import/{job_id}").json()["data"]
    return data


def row_issues(catalogue: CatalogueClient, job_id: str, **params: Any) -> list[dict[str, Any]]:
    """Return the row issues of a job, over all pages."""
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        query = {"limit": 100, "page": page, **params}
        response = catalogue.staff_get(f"/books/bulk-import/{job_id}/rows", **query).json()
        found += response["data"]
        if page >= response["pagination"]["total_pages"]:
            return found
        page += 1


def _finished_job(catalogue: CatalogueClient, response: Any) -> dict[str, Any]:
    assert response.status_code == 202, response.text
    job_id = response.json()["data"]["job_id"]
    assert response.headers["Location"] == f"{PATH}/{job_id}"
    event_runner.run_events()
    return read_job(catalogue, job_id)


def outcome_counts(job: dict[str, Any]) -> tuple[int, int, int, int]:
    """Return created, updated, unchanged, failed."""
    return (job["created"], job["updated"], job["unchanged"], job["failed"])


def codes(catalogue: CatalogueClient, job: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Return row, severity and code of each issue."""
    return [(row["row"], row["severity"], row["code"]) for row in row_issues(catalogue, job["id"])]
