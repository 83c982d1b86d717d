"""The `luna` command: assembles the groups of ops/commands."""

import sys

import typer

from ops.commands import admin, data, develop, rpc, run
from ops.commands.security import audit, keys
from ops.servers.prerequisites import EXIT_MISSING, MissingProgramsError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="LUNA: a library whose books travel by robot.",
)
for group in (run, develop, data):
    app.add_typer(group.app)
app.add_typer(admin.app, name="admin")
app.add_typer(rpc.app, name="rpc")
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")


def main() -> None:
    """Run the command; exit with 3 and name what is missing on this machine."""
    try:
        app(prog_name="luna")
    except MissingProgramsError as missing:
        print(missing, file=sys.stderr)
        sys.exit(EXIT_MISSING)
