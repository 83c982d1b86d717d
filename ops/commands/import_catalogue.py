"""`luna import FILE`: upload a catalogue file to the running LUNA and follow the job.

It uses the public address, with the checks and limits of every client.
"""

import mimetypes
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ops.console import console
from ops.home import Home
from ops.native import status

POLL_INTERVAL = 0.3  # seconds
RESPONSE_TIMEOUT = 120.0
FINAL_STATES = {"SUCCEEDED", "FAILED", "CANCELLED"}
MAX_SHOWN_ROWS = 20
COUNTS = ("total", "created", "updated", "unchanged", "failed", "warnings")


class RefusedError(Exception):
    """LUNA refused a request; the message is that of its error."""


class Librarian:
    """A client with the token of a librarian."""

    def __init__(self, address: str, email: str, password: str) -> None:
        self._client = httpx.Client(base_url=f"{address}/api/v1", timeout=RESPONSE_TIMEOUT)
        tokens = self._request("POST", "/auth/login", json={"email": email, "password": password})
        self._client.headers["Authorization"] = f"Bearer {tokens['data']['access_token']}"

    def _request(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        response = self._client.request(method, path, **more)
        if response.is_error:
            error = response.json().get("error", {})
            raise RefusedError(
                f"{error.get('message')} ({error.get('code')}) {error.get('details')}"
            )
        body: dict[str, Any] = response.json()
        return body

    def upload(self, file: Path, *, dry_run: bool) -> str:
        """Upload a file; return the id of its import job."""
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        with file.open("rb") as content:
            body = self._request(
                "POST",
                "/books/bulk-import",
                params={"dry_run": str(dry_run).lower()},
                files={"file": (file.name, content, kind)},
            )
        return str(body["data"]["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        data: dict[str, Any] = self._request("GET", f"/books/bulk-import/{job_id}")["data"]
        return data

    def issues(self, job_id: str) -> tuple[list[dict[str, Any]], int]:
        """Return the first rows with an issue, and their total number."""
        path = f"/books/bulk-import/{job_id}/rows"
        body = self._request("GET", path, params={"limit": MAX_SHOWN_ROWS})
        return body["data"], body["pagination"]["total"]


def sign_in(email: str | None, password: str | None) -> Librarian:
    """Sign in as the given librarian, or as that of the demo library."""
    now = status.current(Home.chosen())
    known = [row for row in now["accounts"] if row["role"] == "LIBRARIAN"]
    email = email or (known[0]["email"] if known else None)
    password = password or next((row["password"] for row in known if row["email"] == email), None)
    if not email or not password:
        raise RefusedError("No account: set --email, and LUNA_PASSWORD in the environment")
    return Librarian(now["address"], email, password)


def follow(librarian: Librarian, job_id: str) -> dict[str, Any]:
    """Show the progress of a job until it ends; return it."""
    columns = (TextColumn("importing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("rows", total=None)
        while (job := librarian.job(job_id))["state"] not in FINAL_STATES:
            progress.update(bar, total=job["total"] or None, completed=job["processed"])
            time.sleep(POLL_INTERVAL)
        progress.update(bar, total=job["total"], completed=job["processed"])
    return job


def print_result(librarian: Librarian, job: dict[str, Any]) -> None:
    console.print(f"{job['state']}: " + ", ".join(f"{job[name]} {name}" for name in COUNTS))
    rows, total = librarian.issues(job["id"])
    for row in rows:
        console.print(f"  row {row['row']}: {row['severity']} {row['message']}", markup=False)
    if total > len(rows):
        path = f"/api/v1/books/bulk-import/{job['id']}/rows"
        console.print(f"  … {total - len(rows)} more: GET {path}")


def run(
    file: Path,
    email: Annotated[
        str | None, typer.Option(help="of a librarian; default: the demo library's")
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option(help="validate only")] = False,
) -> None:
    """Import a catalogue; exit with 1 when the job or a row failed."""
    try:
        librarian = sign_in(email, os.environ.get("LUNA_PASSWORD"))
        job = follow(librarian, librarian.upload(file, dry_run=dry_run))
        print_result(librarian, job)
    except (RefusedError, httpx.HTTPError) as refused:
        print(refused, file=sys.stderr)
        raise typer.Exit(1) from refused
    raise typer.Exit(1 if job["state"] != "SUCCEEDED" or job["failed"] else 0)


if __name__ == "__main__":
    typer.run(run)
