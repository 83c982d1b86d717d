"""Create the roles, a database and its extensions in a cluster. Idempotent.

Run as `python -m ops.servers.database`; the superuser's URL and the passwords come from the
environment.
"""

import os

import psycopg2
from psycopg2 import sql

from backend.shared.infra.services import OPERATOR_ROLE
from ops.servers.database_roles import DATABASE, FIRST_ROLE, OF_PROGRAMS, OWNER, ROLES

EXTENSIONS = ("pg_trgm", "unaccent", "btree_gin")


def prepare(url: str, passwords: dict[str, str], database: str = DATABASE) -> None:
    """Create what is missing. `url` is the superuser's, of the database postgres."""
    plain = url.replace("+psycopg2", "")
    with _cursor(plain) as cursor:
        for role in (*ROLES, FIRST_ROLE):
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            if not cursor.fetchone():
                cursor.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        for role in ROLES:
            cursor.execute(
                sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(passwords[role])
                )
            )
        cursor.execute(f"ALTER ROLE {FIRST_ROLE} NOLOGIN PASSWORD NULL")
        cursor.execute(f"GRANT {', '.join(OF_PROGRAMS)} TO {OPERATOR_ROLE}")
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
        if not cursor.fetchone():
            cursor.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(database), sql.Identifier(OWNER)
                )
            )
    with _cursor(plain.replace("/postgres?", f"/{database}?")) as cursor:
        for extension in EXTENSIONS:
            cursor.execute(
                sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension))
            )


def _cursor(url: str) -> psycopg2.extensions.cursor:
    connection = psycopg2.connect(url)
    connection.autocommit = True  # CREATE DATABASE refuses a transaction
    return connection.cursor()


if __name__ == "__main__":
    prepare(
        os.environ["LUNA_SUPERUSER_URL"],
        {role: os.environ[f"{role.upper()}_PASSWORD"] for role in ROLES},
    )
