"""Commands on the RPCs: list the contract, call a method."""

import json
import os
from typing import Annotated

import typer

from ops.commands.delegation import fail
from ops.home import Home

app = typer.Typer(no_args_is_help=True, help="The RPCs of machines (docs/rpc.md).")


@app.command("list")
def list_rpcs(
    method: Annotated[str | None, typer.Argument(help="one method, with its messages")] = None,
) -> None:
    """List services and methods with what they do and who may call them."""
    from ops.rpc import caller

    try:
        print("\n".join(caller.listing(method)))
    except KeyError:
        fail(f"There is no RPC {method}: ./luna rpc list")


@app.command()
def call(
    method: Annotated[str, typer.Argument(help="like LibraryService/SearchBooks")],
    message: Annotated[str, typer.Argument(help="JSON")] = "{}",
    *,
    address: Annotated[str | None, typer.Option(help="default: the LUNA of this home")] = None,
    role: Annotated[str | None, typer.Option(help="sign in as this account of the demo")] = None,
) -> None:
    """Call one method; LUNA_TOKEN is an access token or a service key."""
    from ops.rpc import caller

    at = address or _running()
    token = _demo_token(at, role.upper()) if role else os.environ.get("LUNA_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        succeeded, answer = caller.call(at, method, json.loads(message), headers)
    except KeyError:
        fail(f"There is no RPC {method}: ./luna rpc list")
    except json.JSONDecodeError as error:
        fail(f"The message is not JSON: {error}")
    print(answer)
    raise typer.Exit(0 if succeeded else 1)


def _running() -> str:
    from ops import compose
    from ops.native import status

    home = Home.chosen()
    now = compose.status(home) if compose.is_running(home) else status.current(home)
    if not now["address"]:
        fail("LUNA is not running here: run ./luna up first, or give --address")
    return str(now["address"])


def _demo_token(address: str, role: str) -> str:
    from ops.api_client import ApiClient
    from ops.native import status

    account = next((each for each in status.demo_accounts() if each["role"] == role), None)
    if account is None:
        fail(f"The demo library has no account with the role {role}.")
    return ApiClient(address, account["email"], account["password"]).token
