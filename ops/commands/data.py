"""Commands on the data of a running LUNA: check, migrate, events, seed, import."""

from pathlib import Path
from typing import Annotated

import typer

from ops.commands.delegation import PASS_ON, delegate
from ops.home import Home

app = typer.Typer()
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False)]


@app.command(context_settings=PASS_ON)
def check(context: typer.Context) -> None:
    """Check the invariants on the running database."""
    delegate("ops.commands.check", *context.args)


@app.command()
def migrate() -> None:
    """Migrate the schema of the running database to the current version."""
    delegate("backend.shared.migrations.migrate")


@app.command(context_settings=PASS_ON)
def events(context: typer.Context) -> None:
    """List pending events and dead letters; `show ID`, `retry ID`."""
    delegate("ops.commands.events", *context.args)


@app.command()
def seed(file: File) -> None:
    """Load a library (map, accounts, catalogue) from a file."""
    delegate("ops.demo.seed", "--file", str(file.absolute()))


@app.command("import", context_settings=PASS_ON)
def import_catalogue(context: typer.Context, file: File) -> None:
    """Import a catalogue file through the public address and show the progress."""
    delegate("ops.commands.import_catalogue", str(file.absolute()), *context.args)


@app.command()
def mail(
    count: Annotated[int, typer.Argument(min=1, help="how many, newest first")] = 1,
) -> None:
    """Show the last mails of this LUNA with their links (a local run keeps them as files)."""
    from ops.commands import mails

    raise typer.Exit(mails.show(Home.chosen(), count))
