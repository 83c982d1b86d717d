"""`luna admin create`: create an administrator in the database.

The API cannot create the first one: it would need an administrator.
"""

import os
import secrets
import sys
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

from backend.auth.service import accounts
from backend.shared.errors import LunaError
from backend.shared.infra import database
from backend.shared.models import Role
from backend.shared.web.schemas.accounts import NewUser
from ops.console import console


def generate_password() -> str:
    """Generate a password that satisfies the password policy."""
    return f"Luna-{secrets.token_urlsafe(12)}-{secrets.randbelow(90) + 10}"


def _fail(reason: str) -> NoReturn:
    print(reason.strip(), file=sys.stderr)
    raise typer.Exit(1)


def run(
    email: Annotated[str, typer.Option()],
    first_name: Annotated[str, typer.Option()] = "Library",
    last_name: Annotated[str, typer.Option()] = "Administrator",
) -> None:
    """Create an administrator with LUNA_PASSWORD, or with a generated password that is shown."""
    given = os.environ.get("LUNA_PASSWORD")
    password = given or generate_password()
    try:
        new_user = NewUser(email=email, first_name=first_name, last_name=last_name, role=Role.ADMIN)
        with database.transaction() as session:
            accounts.create_user(session, new_user, password)
    except LunaError as error:
        _fail(f"{error} {error.details or ''}")
    except ValidationError as invalid:
        _fail("; ".join(f"{error['loc'][0]}: {error['msg']}" for error in invalid.errors()))
    console.print(f"{email} is an administrator.")
    if not given:
        console.print(f"Password (shown once): {password}", markup=False)


if __name__ == "__main__":
    typer.run(run)
