"""Models equal migrations; the application's role cannot change the schema."""

import os
from collections.abc import Iterator

import pytest
from alembic import command
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from backend.shared.migrations import migrate
from backend.shared.models import Base

_NAME = f"luna_test_schema_{os.getpid()}"


@pytest.fixture
def empty(servers: dict[str, str]) -> Iterator[str]:
    """The owner's URL of an empty database."""
    url = make_url(os.environ["LUNA_TEST_DATABASE_URL"])
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {_NAME} OWNER luna_owner")
    inside = create_engine(url.set(database=_NAME), isolation_level="AUTOCOMMIT")
    with inside.connect() as connection:
        for extension in ("pg_trgm", "unaccent", "btree_gin"):
            connection.exec_driver_sql(f"CREATE EXTENSION {extension}")
    inside.dispose()
    owner = make_url(servers["LUNA_DATABASE_OWNER_URL"]).set(database=_NAME)
    yield owner.render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {_NAME} WITH (FORCE)")
    server.dispose()


@pytest.fixture
def application(servers: dict[str, str]) -> Iterator[Engine]:
    """A connection with the services' role."""
    engine = create_engine(servers["LUNA_DATABASE_URL"])
    yield engine
    engine.dispose()


def test_models_equal_migrations(servers: dict[str, str]) -> None:
    command.check(migrate.alembic_config(servers["LUNA_DATABASE_OWNER_URL"]))


def test_schema_upgrades_downgrades_and_upgrades_again(empty: str) -> None:
    settings = migrate.alembic_config(empty)
    command.upgrade(settings, "head")
    first = _shape(empty)
    command.downgrade(settings, "base")
    assert _shape(empty) == {"alembic_version": ["version_num"]}
    command.upgrade(settings, "head")
    assert _shape(empty) == first
    assert set(Base.metadata.tables) <= first.keys()


def _shape(url: str) -> dict[str, list[str]]:
    engine = create_engine(url)
    found = inspect(engine)
    shape = {
        name: sorted(column["name"] for column in found.get_columns(name))
        for name in found.get_table_names()
    }
    engine.dispose()
    return shape


def test_downgrade_leaves_no_objects(empty: str) -> None:
    settings = migrate.alembic_config(empty)
    command.upgrade(settings, "head")
    command.downgrade(settings, "base")
    engine = create_engine(empty)
    with engine.connect() as connection:
        left = connection.execute(
            text(
                "SELECT proname FROM pg_proc WHERE proowner = 'luna_owner'::regrole "
                "UNION ALL SELECT relname FROM pg_class WHERE relkind = 'S' "
                "UNION ALL SELECT typname FROM pg_type WHERE typtype = 'e'"
            )
        ).all()
    engine.dispose()
    assert left == []


def test_database_is_at_the_newest_revision(servers: dict[str, str], application: Engine) -> None:
    settings = migrate.alembic_config(servers["LUNA_DATABASE_OWNER_URL"])
    with application.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    assert present == ScriptDirectory.from_config(settings).get_current_head()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_logs SET action = 'nothing'",
        "DELETE FROM audit_logs",
        "TRUNCATE audit_logs",
        "UPDATE task_status_history SET reason = 'other'",
        "DELETE FROM loading_proofs",
        "CREATE TABLE own (id int)",
        "ALTER TABLE books ADD COLUMN own int",
        "DROP TABLE copies",
        "ALTER TABLE delivery_tasks DISABLE TRIGGER ALL",
        "UPDATE alembic_version SET version_num = '0'",
    ],
)
def test_application_role_is_refused(application: Engine, statement: str) -> None:
    with application.connect() as connection, pytest.raises(DBAPIError) as refused:
        connection.execute(text(statement))
    assert refused.value.orig is not None
    assert getattr(refused.value.orig, "pgcode", None) == "42501"  # insufficient_privilege


def test_application_role_can_insert_audit_entries(application: Engine) -> None:
    with application.connect() as connection:
        may = connection.execute(
            text("SELECT has_table_privilege('audit_logs', 'INSERT')")
        ).scalar_one()
    assert may is True
