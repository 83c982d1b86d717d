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

from ops.api_client import ApiClient, ApiError
from ops.console import console
from ops.home import Home
from ops.native import status

POLL_INTERVAL = 0.3  # seconds
JOBS = "/books/bulk-import"
FINAL_STATES = {"SUCCEEDED", "FAILED", "CANCELLED"}
MAX_SHOWN_ROWS = 20
COUNTS = ("total", "created", "updated", "unchanged", "failed", "warnings")


def upload(client: ApiClient, file: Path, *, dry_run: bool) -> str:
    """Upload a file; return the id of its import job."""
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    with file.open("rb") as content:
        job = client.request(
            "POST",
            JOBS,
            params={"dry_run": str(dry_run).lower()},
            files={"file": (file.name, content, kind)},
        )
    return str(job["job_id"])


def sign_in(email: str | None, password: str | None) -> ApiClient:
    """Sign in as the given librarian, or as that of the demo library."""
    now = status.current(Home.chosen())
    known = [row for row in now["accounts"] if row["role"] == "LIBRARIAN"]
    email = email or (known[0]["email"] if known else None)
    password = password or next((row["password"] for row in known if row["email"] == email), None)
    if not email or not password:
        raise ApiError("No account: set --email, and LUNA_PASSWORD in the environment")
    return ApiClient(now["address"], email, password)


def follow(client: ApiClient, job_id: str) -> dict[str, Any]:
    """Show the progress of a job until it ends; return it."""
    columns = (TextColumn("importing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("rows", total=None)
        job: dict[str, Any]
        while (job := client.request("GET", f"{JOBS}/{job_id}"))["state"] not in FINAL_STATES:
            progress.update(bar, total=job["total"] or None, completed=job["processed"])
            time.sleep(POLL_INTERVAL)
        progress.update(bar, total=job["total"], completed=job["processed"])
    return job


def print_result(client: ApiClient, job: dict[str, Any]) -> None:
    console.print(f"{job['state']}: " + ", ".join(f"{job[name]} {name}" for name in COUNTS))
    path = f"{JOBS}/{job['id']}/rows"
    body = client.body("GET", path, params={"limit": MAX_SHOWN_ROWS})
    rows, total = body["data"], body["pagination"]["total"]
    for row in rows:
        console.print(f"  row {row['row']}: {row['severity']} {row['message']}", markup=False)
    if total > len(rows):
        console.print(f"  … {total - len(rows)} more: GET /api/v1{path}")


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
        client = sign_in(email, os.environ.get("LUNA_PASSWORD"))
        job = follow(client, upload(client, file, dry_run=dry_run))
        print_result(client, job)
    except (ApiError, httpx.HTTPError) as refused:
        print(refused, file=sys.stderr)
        raise typer.Exit(1) from refused
    raise typer.Exit(1 if job["state"] != "SUCCEEDED" or job["failed"] else 0)


if __name__ == "__main__":
    typer.run(run)
