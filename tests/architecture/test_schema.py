"""Models equal migrations."""

import os
from collections.abc import Iterator

import pytest
from alembic import command
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.engine import make_url

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


def test_database_is_at_the_newest_revision(servers: dict[str, str], owner: Engine) -> None:
    settings = migrate.alembic_config(servers["LUNA_DATABASE_OWNER_URL"])
    with owner.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    assert present == ScriptDirectory.from_config(settings).get_current_head()
