"""A database of the size that a busy library has after two years, filled by SQL alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL

from tests import databases

_ROWS = Path(__file__).with_suffix(".sql")
TITLES = 20_000  # at least


def row_id(number: int) -> UUID:
    """The id of the n-th row of every table, counted from 1."""
    return UUID(f"0198{number:08x}70008000000000000000")


@contextmanager
def large_library(superuser: URL, name: str, titles: int = TITLES) -> Iterator[Engine]:
    """A database of that name with the newest schema, filled and analyzed; dropped afterwards."""
    server = create_engine(superuser)
    with databases.copied(server, name) as engine:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            _fill(connection, titles)
        yield engine
    server.dispose()


def _fill(connection: Connection, titles: int) -> None:
    rows = _ROWS.read_text(encoding="utf-8").replace(":titles", str(titles))
    connection.exec_driver_sql(rows, execution_options={"no_parameters": True})
    # Every row of a table is sampled, so that two runs find the same figures.
    connection.exec_driver_sql("RESET session_replication_role")
    connection.exec_driver_sql("SET default_statistics_target = 1000")
    connection.exec_driver_sql("VACUUM ANALYZE")
