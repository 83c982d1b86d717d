"""`luna import FILE`: hand a catalogue file to the running LUNA and follow the job.

Through the public address, as a librarian's program would: the same checks, the same limits.
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

LOOK_EVERY = 0.3  # seconds
ANSWER_WITHIN = 120.0
ENDED = {"SUCCEEDED", "FAILED", "CANCELLED"}
SHOWN_ROWS = 20
COUNTS = ("total", "created", "updated", "unchanged", "failed", "warnings")


class RefusedError(Exception):
    """LUNA said no; the message is its own."""


class Librarian:
    """Someone signed in who may import."""

    def __init__(self, address: str, email: str, password: str) -> None:
        self._client = httpx.Client(base_url=f"{address}/api/v1", timeout=ANSWER_WITHIN)
        tokens = self._ask("POST", "/auth/login", json={"email": email, "password": password})
        self._client.headers["Authorization"] = f"Bearer {tokens['data']['access_token']}"

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        answer = self._client.request(method, path, **more)
        if answer.is_error:
            error = answer.json().get("error", {})
            raise RefusedError(
                f"{error.get('message')} ({error.get('code')}) {error.get('details')}"
            )
        found: dict[str, Any] = answer.json()
        return found

    def hand_in(self, file: Path, *, dry_run: bool) -> str:
        """Upload; the id of the job that imports it."""
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        with file.open("rb") as content:
            answer = self._ask(
                "POST",
                "/books/bulk-import",
                params={"dry_run": str(dry_run).lower()},
                files={"file": (file.name, content, kind)},
            )
        return str(answer["data"]["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        data: dict[str, Any] = self._ask("GET", f"/books/bulk-import/{job_id}")["data"]
        return data

    def remarks(self, job_id: str) -> tuple[list[dict[str, Any]], int]:
        """The first rows that were refused or remarked on, and how many there are."""
        path = f"/books/bulk-import/{job_id}/rows"
        answer = self._ask("GET", path, params={"limit": SHOWN_ROWS})
        return answer["data"], answer["pagination"]["total"]


def sign_in(email: str | None, password: str | None) -> Librarian:
    """As the given librarian, or as the demo library's."""
    now = status.of(Home.chosen())
    known = [row for row in now["accounts"] if row["role"] == "LIBRARIAN"]
    email = email or (known[0]["email"] if known else None)
    password = password or next((row["password"] for row in known if row["email"] == email), None)
    if not email or not password:
        raise RefusedError("Say who imports: --email, and LUNA_PASSWORD in the environment")
    return Librarian(now["address"], email, password)


def follow(librarian: Librarian, job_id: str) -> dict[str, Any]:
    """Show the job's progress until it ends; its last state."""
    columns = (TextColumn("importing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("rows", total=None)
        while (job := librarian.job(job_id))["state"] not in ENDED:
            progress.update(bar, total=job["total"] or None, completed=job["processed"])
            time.sleep(LOOK_EVERY)
        progress.update(bar, total=job["total"], completed=job["processed"])
    return job


def tell(librarian: Librarian, job: dict[str, Any]) -> None:
    console.print(f"{job['state']}: " + ", ".join(f"{job[name]} {name}" for name in COUNTS))
    rows, total = librarian.remarks(job["id"])
    for row in rows:
        console.print(f"  row {row['row']}: {row['severity']} {row['message']}", markup=False)
    if total > len(rows):
        path = f"/api/v1/books/bulk-import/{job['id']}/rows"
        console.print(f"  … {total - len(rows)} more: GET {path}")


def run(
    file: Path,
    email: Annotated[str | None, typer.Option(help="of a librarian; the demo's by default")] = None,
    *,
    dry_run: Annotated[bool, typer.Option(help="check everything, change nothing")] = False,
) -> None:
    """Import a catalogue. Ends with 1 when the job failed or a row was refused."""
    try:
        librarian = sign_in(email, os.environ.get("LUNA_PASSWORD"))
        job = follow(librarian, librarian.hand_in(file, dry_run=dry_run))
        tell(librarian, job)
    except (RefusedError, httpx.HTTPError) as refused:
        print(refused, file=sys.stderr)
        raise typer.Exit(1) from refused
    raise typer.Exit(1 if job["state"] != "SUCCEEDED" or job["failed"] else 0)


if __name__ == "__main__":
    typer.run(run)
