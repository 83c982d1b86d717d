"""Commands on the keys that sign access tokens."""

import os
from typing import Annotated

import typer

from ops import compose
from ops.commands.delegation import delegate
from ops.home import Home

app = typer.Typer(no_args_is_help=True, help="Keys that sign access tokens.")
_MODULE = "ops.commands.security.rotate_keys"


@app.callback()
def keys() -> None:
    """Make `rotate` a command of its own."""


@app.command()
def rotate(
    *,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="refuse the tokens of older keys at once")
    ] = False,
) -> None:
    """Sign with a new key from now on; nobody is signed out and nothing restarts."""
    home = Home.chosen()
    words = ["--revoke"] if revoke else []
    if compose.is_running(home):
        raise typer.Exit(compose.run_inside(home, _MODULE, *words, service="auth-service"))
    os.environ["LUNA_AUTH_PRIVATE_KEY_FILE"] = str(home.keys / "private.pem")
    delegate(_MODULE, *words)
