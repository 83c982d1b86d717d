"""What each database role may do is what `models.privileges` says: PostgreSQL is asked."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from backend.shared.infra.services import OPERATOR_ROLE, database_role
from backend.shared.migrations import grants
from backend.shared.models import Base, privileges
from backend.shared.models.privileges import HIDDEN, LOCK, PROGRAMS, TABLES, Verb
from backend.shared.web import health

DENIED = "42501"  # insufficient_privilege
ROLES = [database_role(each) for each in PROGRAMS]
_DELETE = "DELETE FROM {} WHERE false"


@pytest.fixture(scope="module")
def operator(servers: dict[str, str]) -> Iterator[Engine]:
    engine = create_engine(servers["LUNA_DATABASE_URL"])
    yield engine
    engine.dispose()


def _is_allowed(connection: Connection, role: str, statement: str) -> bool:
    """Try a statement, and undo it; constraints and triggers are no refusals."""
    connection.rollback()
    connection.execute(text(f"SET LOCAL ROLE {role}"))
    try:
        connection.execute(text(statement))
    except DBAPIError as error:
        code: Any = getattr(error.orig, "pgcode", None)
        message = str(error.orig)
        if code == DENIED and ("permission denied for" in message):
            return False
        assert code in {"23502", "23505", "23514"}, message  # not null, unique, check
    finally:
        connection.rollback()
    return True


def _columns(table: str) -> list[str]:
    return list(Base.metadata.tables[table].columns.keys())


def _statements(table: str) -> dict[str, dict[str, str]]:
    """Return, by verb and column, a statement that needs this privilege alone, and no row."""
    columns = _columns(table)
    forms = {
        "S": 'SELECT "{}" FROM {} LIMIT 0',
        "I": 'INSERT INTO {1} ("{0}") SELECT NULL WHERE false',
        "U": 'UPDATE {1} SET "{0}" = DEFAULT WHERE false',
    }
    made = {
        verb: {name: form.format(name, table) for name in columns} for verb, form in forms.items()
    }
    return {**made, "D": {"": _DELETE.format(table)}}


def _is_given(table: str, program: str, verb: str, column: str) -> bool:
    cell = TABLES[table].get(program, "")
    if verb in cell:
        return True
    if verb == "S" and "s" in cell:
        return column not in HIDDEN[table]
    return verb == "U" and "u" in cell and column == LOCK[table]


def test_every_table_has_its_privileges() -> None:
    assert set(TABLES) == set(Base.metadata.tables)
    letters = {*(verb.value for verb in Verb), "s", "u"}
    assert all(set(cell) <= letters for cells in TABLES.values() for cell in cells.values())


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_verb_on_each_column_is_answered_as_the_table_says(
    operator: Engine, program: str
) -> None:
    generated = {"robot_commands": {"seq"}, "users": {"has_password"}}
    with operator.connect() as connection:
        for table in Base.metadata.tables:
            for verb, statements in _statements(table).items():
                for column, statement in statements.items():
                    if verb in "IU" and column in generated.get(table, ()):
                        continue  # refused for everybody
                    given = _is_given(table, program, verb, column)
                    answered = _is_allowed(connection, database_role(program), statement)
                    assert answered is given, f"{program}: {statement}"


# Said here once more, so that a slip in the table of privileges is seen.
_OF_AUTH_ALONE = (
    "SELECT password_hash FROM users",
    "SELECT refresh_hash FROM sessions",
    "SELECT ip_address FROM sessions",
    "SELECT encrypted_secret FROM totp_factors",
    "SELECT 1 FROM recovery_codes",
    "SELECT 1 FROM login_challenges WHERE false FOR UPDATE",
    "INSERT INTO users (id) SELECT NULL WHERE false",
    "INSERT INTO sessions (id) SELECT NULL WHERE false",
    "INSERT INTO service_keys (id) SELECT NULL WHERE false",
    "UPDATE users SET role = DEFAULT WHERE false",
    "UPDATE users SET password_hash = DEFAULT WHERE false",
    "UPDATE users SET is_active = DEFAULT WHERE false",
    "UPDATE sessions SET refresh_hash = DEFAULT WHERE false",
    "UPDATE service_keys SET key_hash = DEFAULT WHERE false",
)
_OF_ROBOT_ALONE = (
    "INSERT INTO robot_keys (id) SELECT NULL WHERE false",
    "UPDATE robot_keys SET key_hash = DEFAULT WHERE false",
    "INSERT INTO enrolment_codes (id) SELECT NULL WHERE false",
    "INSERT INTO stop_latches (id) SELECT NULL WHERE false",
)
_OF_NOBODY = (
    "DELETE FROM users WHERE false",
    "DELETE FROM audit_logs WHERE false",
    "UPDATE audit_logs SET action = DEFAULT WHERE false",
    "DELETE FROM audit_chain WHERE false",
)


@pytest.mark.parametrize(
    ("owner_role", "statement"),
    [
        *(("luna_auth", each) for each in _OF_AUTH_ALONE),
        *(("luna_robot", each) for each in _OF_ROBOT_ALONE),
        *((None, each) for each in _OF_NOBODY),
    ],
)
def test_secrets_and_powers_belong_to_one_service(
    operator: Engine, owner_role: str | None, statement: str
) -> None:
    with operator.connect() as connection:
        allowed = {role for role in ROLES if _is_allowed(connection, role, statement)}
    assert allowed == ({owner_role} if owner_role else set())


def test_nobody_but_the_owner_has_more(owner: Engine) -> None:
    """Nothing is left of earlier grants: to PUBLIC, to the role of all services, on partitions."""
    with owner.connect() as connection:
        rows = connection.execute(
            text("""
                SELECT DISTINCT c.relname, coalesce(r.rolname, 'PUBLIC') AS grantee
                FROM pg_class AS c, aclexplode(c.relacl) AS a LEFT JOIN pg_roles AS r
                    ON r.oid = a.grantee
                WHERE c.relnamespace = 'public'::regnamespace
                    AND coalesce(r.rolname, 'PUBLIC') <> 'luna_owner'
            """)
        ).all()
    known = {*TABLES, *privileges.SEQUENCES}
    assert [row for row in rows if row.grantee not in ROLES or row.relname not in known] == []


def test_owner_alone_runs_functions_that_act_with_its_rights(owner: Engine) -> None:
    with owner.connect() as connection:
        definers = connection.execute(
            text("""
                SELECT p.oid::regprocedure::text AS name, p.proconfig,
                    p.prorettype = 'trigger'::regtype AS is_trigger,
                    ARRAY(SELECT coalesce(r.rolname, 'PUBLIC')
                        FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
                        LEFT JOIN pg_roles AS r ON r.oid = a.grantee ORDER BY 1) AS grantees
                FROM pg_proc AS p
                WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace
            """)
        ).all()
    functions = {row.name: row for row in definers if not row.is_trigger}
    found = {name.replace("timestamp with time zone", "timestamptz"): name for name in functions}
    expected = {name.replace(", ", ","): name for name in privileges.FUNCTIONS}
    assert found.keys() == expected.keys()
    for name, said in expected.items():
        allowed = {database_role(each) for each in privileges.FUNCTIONS[said]}
        assert set(functions[found[name]].grantees) == {"luna_owner", *allowed}
    for row in definers:  # nobody may put an object of his own in the place of a table
        assert "search_path=public, pg_temp" in row.proconfig


@pytest.mark.parametrize("role", [*ROLES, OPERATOR_ROLE])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_logs SET action = 'nothing'",
        "DELETE FROM audit_logs",
        "TRUNCATE audit_logs",
        "UPDATE audit_chain SET seq = 1",
        "CREATE TABLE own (id int)",
        "ALTER TABLE books ADD COLUMN own int",
        "DROP TABLE copies",
        "ALTER TABLE delivery_tasks DISABLE TRIGGER ALL",
        "UPDATE alembic_version SET version_num = '0'",
        "SET ROLE luna_owner",
    ],
)
def test_schema_and_audit_trail_are_out_of_reach(
    operator: Engine, role: str, statement: str
) -> None:
    with operator.connect() as connection:
        connection.execute(text(f"SET LOCAL ROLE {role}"))
        with pytest.raises(DBAPIError) as refused:
            connection.execute(text(statement))
    assert getattr(refused.value.orig, "pgcode", None) == DENIED


def test_locking_a_user_needs_the_one_column_alone(operator: Engine, clean: None) -> None:
    with operator.connect() as connection:
        assert _is_allowed(connection, "luna_book", "SELECT id FROM users FOR UPDATE")
        assert not _is_allowed(connection, "luna_robot", "SELECT id FROM users FOR UPDATE")


@pytest.mark.parametrize("role", ROLES)
def test_every_program_can_tell_whether_it_is_ready(operator: Engine, role: str) -> None:
    with operator.connect() as connection:
        assert _is_allowed(connection, role, health.WATCHDOG)


def test_grants_are_restored_when_somebody_has_changed_them(owner: Engine) -> None:
    asked = text("SELECT has_table_privilege('luna_book', 'users', 'DELETE')")
    with owner.connect() as connection:
        connection.execute(text("GRANT DELETE ON users TO luna_book"))
        assert connection.execute(asked).scalar_one()
        grants.apply(connection)
        assert not connection.execute(asked).scalar_one()
        connection.rollback()


def test_every_role_signs_in_with_a_password_of_its_own(servers: dict[str, str]) -> None:
    """`luna_app`, which all services had, signs in no more."""
    url = make_url(servers["LUNA_DATABASE_URL"])
    for role in ROLES:
        engine = create_engine(url.set(username=role))
        with engine.connect() as connection:
            assert connection.execute(text("SELECT current_user")).scalar_one() == role
        engine.dispose()
    engine = create_engine(url.set(username="luna_app"))
    with pytest.raises(DBAPIError):
        engine.connect()
    engine.dispose()
