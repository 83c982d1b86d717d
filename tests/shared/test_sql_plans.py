"""docs/sql.md shows the statements of the code, and none of them scans a large table."""

import os
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from ops.docs import sql_page, sql_statements
from ops.home import ROOT
from tests.factories.large_library import large_library, row_id

PAGE = ROOT / "docs" / "sql.md"
_LARGE = 1_000  # rows


@pytest.fixture(scope="module")
def library(servers: dict[str, str]) -> Iterator[Connection]:
    """A connection to a filled database."""
    superuser = make_url(os.environ["LUNA_TEST_DATABASE_URL"])
    owner = make_url(servers["LUNA_DATABASE_OWNER_URL"])
    with (
        large_library(superuser, owner, f"luna_test_plans_{os.getpid()}") as engine,
        engine.connect() as connection,
    ):
        yield connection


@pytest.fixture(scope="module")
def explained(library: Connection) -> list[sql_page.Explained]:
    sample = sql_statements.Sample(
        user_id=row_id(7),
        book_id=row_id(7),
        task_id=row_id(7),
        robot_id=row_id(180),
        email="member7@example.org",
    )
    return list(sql_page.explain(library, sample))


@pytest.fixture(scope="module")
def large_tables(library: Connection) -> set[str]:
    found = library.execute(
        text("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > :rows"),
        {"rows": _LARGE},
    )
    return set(found.scalars())


def _scanned(plan: sql_page.Plan) -> set[str]:
    """The tables that a plan reads from beginning to end."""
    return {
        node["Relation Name"] for _, node in sql_page.nodes(plan) if node["Node Type"] == "Seq Scan"
    }


def test_no_statement_scans_a_large_table(
    explained: list[sql_page.Explained], large_tables: set[str]
) -> None:
    scans = {entry.statement.title: _scanned(entry.plan) & large_tables for entry in explained}
    assert {title: tables for title, tables in scans.items() if tables} == {}


def test_a_sequential_scan_is_found(library: Connection, large_tables: set[str]) -> None:
    """The check above can fail: a filter that no index serves scans the table."""
    answer = library.exec_driver_sql("EXPLAIN (FORMAT JSON) SELECT 1 FROM loans WHERE renewals > 3")
    assert _scanned(answer.scalar_one()[0]["Plan"]) & large_tables == {"loans"}


def test_page_shows_the_statements_and_plans_of_the_code(
    library: Connection, explained: list[sql_page.Explained]
) -> None:
    """Another major version of PostgreSQL may plan differently: then only the SQL is compared."""
    version = library.execute(text("SHOW server_version_num")).scalar_one()
    page = sql_page.page(explained, str(int(version) // 10_000))
    if os.environ.get("LUNA_WRITE_DOCS"):
        PAGE.write_text(page, encoding="utf-8")
    shown = PAGE.read_text(encoding="utf-8")
    if f"PostgreSQL {int(version) // 10_000} " in shown:
        assert shown == page
    for entry in explained:
        assert entry.sql in shown, entry.statement.title
