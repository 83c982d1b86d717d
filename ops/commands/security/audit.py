"""Commands on the audit trail."""

import typer

from ops.commands.delegation import delegate

app = typer.Typer(no_args_is_help=True, help="The audit trail.")


@app.callback()
def audit() -> None:
    """Make `verify` a command of its own."""


@app.command()
def verify() -> None:
    """Name every entry that was changed, deleted or added behind the hash chain."""
    delegate("ops.commands.security.verify_audit")
