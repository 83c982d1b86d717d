"""`luna admin create`: the first administrator, who can make everyone else one.

Written straight into the database: over the API only an administrator could do it.
"""

import os
import secrets
import sys
from typing import Annotated

import typer
from sqlalchemy import func, select

from backend.shared import audit, db, security
from backend.shared.models import Role, User
from ops.show import console

SHORTEST_PASSWORD = 8


def create(email: str, first_name: str, last_name: str, password: str) -> None:
    """Make the account; ValueError when the address has one or the password is too short."""
    if len(password) < SHORTEST_PASSWORD:
        raise ValueError(f"a password has at least {SHORTEST_PASSWORD} characters")
    with db.transaction() as session:
        taken = select(User.id).where(func.lower(User.email) == email.lower())
        if session.scalar(taken):
            raise ValueError(f"{email} has an account already")
        user = User(
            email=email,
            first_name=first_name,
            last_name=last_name,
            role=Role.ADMIN,
            password_hash=security.hash_password(password),
        )
        session.add(user)
        session.flush()
        audit.record(session, actor_id=None, action="admin.created", resource=("user", user.id))


def run(
    email: Annotated[str, typer.Option()],
    first_name: Annotated[str, typer.Option()] = "Library",
    last_name: Annotated[str, typer.Option()] = "Administrator",
) -> None:
    """Make an administrator. LUNA_PASSWORD sets the password; otherwise one is made and shown."""
    given = os.environ.get("LUNA_PASSWORD")
    password = given or secrets.token_urlsafe(12)
    try:
        create(email, first_name, last_name, password)
    except ValueError as refused:
        print(refused, file=sys.stderr)
        raise typer.Exit(1) from refused
    console.print(f"{email} is an administrator.")
    if not given:
        console.print(f"Password (shown once): {password}", markup=False)


if __name__ == "__main__":
    typer.run(run)
