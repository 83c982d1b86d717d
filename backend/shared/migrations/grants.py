"""Give the roles the privileges of `models.privileges`, and take what they have beyond them."""

from collections.abc import Iterator

from sqlalchemy import Connection

from backend.shared.infra.services import database_role
from backend.shared.models import Base, privileges
from backend.shared.models.privileges import Verb

_FIRST_ROLE = "luna_app"  # of all services once; migrations name it


def apply(connection: Connection) -> None:
    """Revoke all and grant anew; services that run notice nothing before the commit."""
    for statement in _statements():
        connection.exec_driver_sql(statement)


def _statements() -> Iterator[str]:
    roles = [database_role(each) for each in privileges.PROGRAMS]
    everyone = ", ".join((*roles, _FIRST_ROLE))
    for kind in ("TABLES", "SEQUENCES", "FUNCTIONS"):
        yield f"REVOKE ALL ON ALL {kind} IN SCHEMA public FROM {everyone}"
    yield f"GRANT USAGE ON SCHEMA public TO {', '.join(roles)}"
    for table, cells in privileges.TABLES.items():
        for program, letters in cells.items():
            given = ", ".join(_privilege(table, letter) for letter in letters)
            yield f"GRANT {given} ON {table} TO {database_role(program)}"
    for kind, objects in (
        ("SEQUENCE", privileges.SEQUENCES),
        ("FUNCTION", privileges.FUNCTIONS),
    ):
        privilege = "USAGE" if kind == "SEQUENCE" else "EXECUTE"
        for name, programs in objects.items():
            to = ", ".join(map(database_role, programs))
            yield f"GRANT {privilege} ON {kind} {name} TO {to}"


def _privilege(table: str, letter: str) -> str:
    if letter == "u":
        return f"UPDATE ({privileges.LOCK[table]})"
    if letter == "s":
        columns = ", ".join(f'"{name}"' for name in visible_columns(table))
        return f"SELECT ({columns})"
    return Verb(letter).name


def visible_columns(table: str) -> list[str]:
    """Return the columns of a table that are no secret of its owner."""
    hidden = privileges.HIDDEN[table]
    names = [column.name for column in Base.metadata.tables[table].columns]
    return [name for name in names if name not in hidden]
