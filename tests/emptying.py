"""Empties the database between tests, and between the examples of one."""

from functools import cache
from itertools import count

from psycopg2.errors import DeadlockDetected
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import OperationalError

_TRUNCATE_EVERY = 50  # tests; between them rows are deleted, which is faster for a few rows
_MANY = 500  # rows of a table, after which it is truncated at once
_TRIES = 5

_TABLES = """
    SELECT quote_ident(relname) FROM pg_class
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'alembic_version'
      AND relnamespace = 'public'::regnamespace
"""
# Switched off for each transaction, PostgreSQL would plan the search for filled tables each time.
_WITHOUT_TRIGGERS = {"options": "-c session_replication_role=replica"}  # and foreign keys
# The lock waits for the end of what the robot service does by itself, which may write an event.
_BEGIN = """
    LOCK TABLE robots IN EXCLUSIVE MODE;
    EXECUTE filled_tables
"""
_INITIAL_ROWS = """
    INSERT INTO fleet_state (id, map_version) VALUES (1, 0) ON CONFLICT DO NOTHING;
    INSERT INTO stop_latches (id, version, stopped)
        VALUES ('00000000-0000-0000-0000-000000000000', 0, false) ON CONFLICT DO NOTHING;
    INSERT INTO live_position (id, pos) VALUES (1, 0) ON CONFLICT DO NOTHING
"""
_cleanings = count(1)


@cache
def _engine(superuser: Engine) -> Engine:
    return create_engine(superuser.url, connect_args=_WITHOUT_TRIGGERS)


@cache
def _find_filled(engine: Engine) -> str:
    """Return what prepares the search for tables with rows, and for those with many."""
    with engine.connect() as connection:
        tables = connection.exec_driver_sql(_TABLES).scalars().all()
    filled, large = (
        ", ".join(
            f"CASE WHEN EXISTS (SELECT FROM {name} {rows}) THEN '{name}' END" for name in tables
        )
        for rows in ("", f"OFFSET {_MANY}")
    )
    return f"PREPARE filled_tables AS SELECT array_remove(ARRAY[{filled}], NULL), coalesce({large})"


def _empty(connection: Connection, prepare: str, *, truncate: bool) -> None:
    if "filled_tables" not in connection.info:
        connection.exec_driver_sql(prepare)
        connection.info["filled_tables"] = True
    filled, large = connection.exec_driver_sql(_BEGIN).one()
    if filled and (
        truncate or large
    ):  # gives each table and index a new file: slow, but without dead rows
        words = [f"TRUNCATE {', '.join(filled)} CASCADE"]
    else:
        words = [f"DELETE FROM {name}" for name in filled]  # noqa: S608 (names of our tables)
    connection.exec_driver_sql("; ".join([*words, _INITIAL_ROWS]))


def empty(superuser: Engine, *, truncate: bool = False) -> None:
    """Delete every row, by TRUNCATE now and then; what is counted by a row begins anew.

    Work that a test left behind, such as a heartbeat that is written later, may still be in a
    transaction: after a deadlock with it the database is emptied again.
    """
    truncate = truncate or next(_cleanings) % _TRUNCATE_EVERY == 0
    engine = _engine(superuser)
    prepare = _find_filled(engine)
    for left in reversed(range(_TRIES)):
        try:
            with engine.begin() as connection:
                _empty(connection, prepare, truncate=truncate)
        except OperationalError as error:
            if not left or not isinstance(error.orig, DeadlockDetected):
                raise
        else:
            return


def close(superuser: Engine) -> None:
    """Close the connections that empty the database of a superuser's engine."""
    _engine(superuser).dispose()
