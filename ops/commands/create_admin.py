"""`luna admin create`: the first administrator, who can make everyone else one.

Written straight into the database: over the API only an administrator could do it.
"""

import os
import secrets
import sys
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

from backend.auth.schemas.accounts import NewUser
from backend.auth.service import accounts
from backend.shared.errors import LunaError
from backend.shared.infra import database
from backend.shared.models import Role
from ops.console import console


def made_up() -> str:
    """A password that nobody guesses, with the kinds of signs that the rules ask for."""
    return f"Luna-{secrets.token_urlsafe(12)}-{secrets.randbelow(90) + 10}"


def _refuse(reason: str) -> NoReturn:
    print(reason.strip(), file=sys.stderr)
    raise typer.Exit(1)


def run(
    email: Annotated[str, typer.Option()],
    first_name: Annotated[str, typer.Option()] = "Library",
    last_name: Annotated[str, typer.Option()] = "Administrator",
) -> None:
    """Make an administrator. LUNA_PASSWORD sets the password; otherwise one is made and shown."""
    given = os.environ.get("LUNA_PASSWORD")
    password = given or made_up()
    try:
        newcomer = NewUser(email=email, first_name=first_name, last_name=last_name, role=Role.ADMIN)
        with database.transaction() as session:
            accounts.create_user(session, newcomer, password)
    except LunaError as refused:
        _refuse(f"{refused} {refused.details or ''}")
    except ValidationError as wrong:
        _refuse("; ".join(f"{error['loc'][0]}: {error['msg']}" for error in wrong.errors()))
    console.print(f"{email} is an administrator.")
    if not given:
        console.print(f"Password (shown once): {password}", markup=False)


if __name__ == "__main__":
    typer.run(run)
