"""Handing in files and following their jobs, in words."""

from pathlib import Path
from typing import Any

from tests import event_runner
from tests.api.book.catalogue_client import Library

PATH = "/api/v1/books/bulk-import"
HEAD = "title,author,isbn,year"
GOOD = "Emma,Jane Austen,9780141439587,1815"


def hand_in(library: Library, name: str, content: bytes, **form: str) -> Any:
    files = {"file": (name, content, "text/csv")}
    return library.api.post(PATH, files=files, data=form, headers=library.librarian.headers)


def import_file(library: Library, name: str, content: bytes, **form: str) -> dict[str, Any]:
    """The job of an upload, after all its events."""
    return _followed(library, hand_in(library, name, content, **form))


def import_text(library: Library, *lines: str, encoding: str = "utf-8") -> dict[str, Any]:
    """The job of a CSV file of these lines."""
    return import_file(library, "books.csv", "\r\n".join(lines).encode(encoding))


def import_json(library: Library, *books: Any) -> dict[str, Any]:
    headers = library.librarian.headers
    return _followed(library, library.api.post(PATH, json={"books": books}, headers=headers))


def rerun(library: Library, file: Path) -> dict[str, Any]:
    return import_file(library, file.name, file.read_bytes())


def read_job(library: Library, job_id: str) -> dict[str, Any]:
    data: dict[str, Any] = library.staff_get(f"/books/bulk-import/{job_id}").json()["data"]
    return data


def remarks(library: Library, job_id: str, **params: Any) -> list[dict[str, Any]]:
    """Everything that a job says about rows, over all pages."""
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        asked = {"limit": 100, "page": page, **params}
        answer = library.staff_get(f"/books/bulk-import/{job_id}/rows", **asked).json()
        found += answer["data"]
        if page >= answer["pagination"]["total_pages"]:
            return found
        page += 1


def _followed(library: Library, answer: Any) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["data"]["job_id"]
    assert answer.headers["Location"] == f"{PATH}/{job_id}"
    event_runner.run_events()
    return read_job(library, job_id)


def counts(job: dict[str, Any]) -> tuple[int, int, int, int]:
    """Created, updated, unchanged, failed."""
    return (job["created"], job["updated"], job["unchanged"], job["failed"])


def codes(library: Library, job: dict[str, Any]) -> list[tuple[int, str, str]]:
    """What is said of which row: row, severity, code."""
    return [(row["row"], row["severity"], row["code"]) for row in remarks(library, job["id"])]
