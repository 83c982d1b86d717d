"""Commands on the accounts of administrators."""

import typer

from ops.commands.delegation import PASS_ON, delegate

app = typer.Typer(no_args_is_help=True, help="Administrators of the library.")


@app.command("create", context_settings=PASS_ON)
def create_admin(context: typer.Context) -> None:
    """Create an administrator (`--email`); LUNA_PASSWORD or a generated password."""
    delegate("ops.commands.create_admin", *context.args)
