"""`luna events`: list pending events and dead letters, show one, retry a dead letter."""

import json
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table
from sqlalchemy import select

from backend.shared.infra import clock, database
from backend.shared.messaging import inbox, relay
from backend.shared.models import EventRun, OutboxEvent
from ops.console import console

_MAX_ROWS = 50

app = typer.Typer(add_completion=False, help="Pending events and dead letters.")


@app.callback(invoke_without_command=True)
def list_pending(context: typer.Context) -> None:
    """List the dead letters, then the pending events."""
    if context.invoked_subcommand is not None:
        return
    with database.transaction() as session:
        rows = session.execute(
            select(OutboxEvent)
            .where(OutboxEvent.acked_at.is_(None))
            .order_by(OutboxEvent.dead_at.is_(None), OutboxEvent.id)
            .limit(_MAX_ROWS)
        ).scalars()
        table = Table()
        for heading in ("event", "type", "created", "state", "last error"):
            table.add_column(heading, no_wrap=heading == "event")
        for row in rows:
            state = "dead letter" if row.dead_at is not None else f"sent {row.resends} times"
            table.add_row(
                str(row.id), row.event_type, clock.iso(row.created_at), state, row.last_error or ""
            )
    if table.row_count:
        console.print(table)
    else:
        console.print("No event is pending.")


@app.command()
def show(event_id: Annotated[UUID, typer.Argument()]) -> None:
    """Show the envelope of an event, and the runs of its consumers."""
    with database.transaction() as session:
        row = session.get(OutboxEvent, event_id)
        if row is None:
            raise typer.BadParameter("event not found")
        print(json.dumps(relay.envelope(row), indent=2))
        runs = session.execute(select(EventRun).where(EventRun.event_id == event_id)).scalars()
        for run in runs:
            print(f"{run.consumer}: {run.runs} runs, last error: {run.last_error or 'none'}")


@app.command()
def retry(event_id: Annotated[UUID, typer.Argument()]) -> None:
    """Publish a dead letter again."""
    with database.transaction() as session:
        if not inbox.retry_dead_letter(session, event_id):
            raise typer.BadParameter("this event is not a dead letter")
    print(f"{event_id} will be published again")


if __name__ == "__main__":
    app()
