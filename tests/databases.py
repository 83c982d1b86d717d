"""Databases of the tests: one of each run is migrated, the others are copies of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from alembic import command
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL

from backend.shared.migrations import migrate
from ops.servers import database

_TEMPLATE = "luna_test_template"
_SETUP_LOCK = 1  # key of the advisory lock under which workers create roles and databases


@contextmanager
def _locked(server: Engine) -> Iterator[None]:
    """Hold off other workers: roles and the template belong to the whole cluster."""
    with server.begin() as connection:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_SETUP_LOCK})"))
        yield


def prepare(server: Engine, owner: URL, passwords: Mapping[str, str]) -> None:
    """Create the roles and the template, unless another worker has."""
    superuser = server.url.render_as_string(hide_password=False)
    with _locked(server):
        database.prepare(superuser, dict(passwords), _TEMPLATE)
        url = owner.set(database=_TEMPLATE).render_as_string(hide_password=False)
        command.upgrade(migrate.alembic_config(url), "head")


def _autocommit(server: Engine) -> Connection:
    return server.connect().execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def copied(server: Engine, name: str) -> Iterator[Engine]:
    """Create a database with the newest schema and no rows; it is dropped afterwards."""
    with _locked(server), _autocommit(server) as connection:  # a copy allows no other user
        connection.exec_driver_sql(f"CREATE DATABASE {name} OWNER luna_owner TEMPLATE {_TEMPLATE}")
    engine = create_engine(server.url.set(database=name))
    try:
        yield engine
    finally:
        engine.dispose()
        with _autocommit(server) as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
