"""docs/sql.md shows the statements of the code, and none of them scans a large table.

The lists of the catalogue are tried with every filter and sort. `luna test all` has 100 000 titles
and tries the filters in pairs too.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from backend.book import queries
from backend.book.search import result_page
from backend.book.search.search_query import SearchQuery
from backend.shared.infra import clock, database
from backend.shared.messaging import inbox, relay
from backend.shared.models import (
    BookStatus,
    Copy,
    Hold,
    HoldStatus,
    ImportJob,
    ImportRow,
    Loan,
    LoanState,
    Severity,
)
from backend.shared.web.pagination import AnySelect, Order, PageQuery, ordered, paginate_rows
from ops.docs import sql_page, sql_statements
from ops.home import ROOT
from tests.factories import large_library as large_library_module
from tests.factories.large_library import large_library, row_id

PAGE = ROOT / "docs" / "sql.md"
_LARGE = 1_000  # rows
_FILTERS_AT_ONCE = 2 if "LUNA_TEST_TITLES" in os.environ else 1
TITLES = int(os.environ.get("LUNA_TEST_TITLES", str(large_library_module.TITLES)))


@pytest.fixture(scope="module")
def library(servers: dict[str, str]) -> Iterator[Connection]:
    """A connection to a filled database."""
    superuser = make_url(os.environ["LUNA_TEST_DATABASE_URL"])
    with (
        large_library(superuser, f"luna_test_plans_{os.getpid()}", TITLES) as engine,
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
    """Another version of PostgreSQL, or another size, may change plans: then SQL is compared."""
    version = library.execute(text("SHOW server_version_num")).scalar_one()
    page = sql_page.page(explained, str(int(version) // 10_000))
    if os.environ.get("LUNA_WRITE_DOCS"):
        PAGE.write_text(page, encoding="utf-8")
    shown = PAGE.read_text(encoding="utf-8")
    if f"PostgreSQL {int(version) // 10_000} " in shown and large_library_module.TITLES == TITLES:
        assert shown == page
    for entry in explained:
        assert entry.sql in shown, entry.statement.title


_BOOK_FILTERS: dict[str, Any] = {
    "status": BookStatus.CHECKED_OUT,
    "author": "8f14e45fceea167a5a36dedd4bea2543",  # of one title in 3 000
    "publisher": "nobody",
    "subject": "subject 7",
    "language": "tr",
    "year_from": 1990,
    "year_to": 1920,
    "isbn": "9780000000002",
    "available": False,
}
_BOOK_SORTS = (None, "title", "author", "publication_year", "created_at", "relevance")


def _given(filters: dict[str, Any]) -> list[dict[str, Any]]:
    """Return no filter, each filter, and in `luna test all` each pair of filters."""
    names = [name for many in range(_FILTERS_AT_ONCE + 1) for name in combinations(filters, many)]
    return [{name: filters[name] for name in chosen} for chosen in names]


def _scans(
    library: Connection, large_tables: set[str], run: Callable[[], object]
) -> list[tuple[str, set[str]]]:
    """Return the statements that scan a large table."""
    with sql_page.recorded(library) as sent:
        run()
    found = []
    for sql, parameters in sent:
        answer = library.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        if tables := _scanned(answer.scalar_one()[0]["Plan"]) & large_tables:
            found.append((sql, tables))
    library.rollback()
    return found


@pytest.mark.parametrize("sort", _BOOK_SORTS)
@pytest.mark.parametrize("order", Order)
def test_catalogue_is_filtered_and_sorted_by_indexes(
    library: Connection, large_tables: set[str], sort: str | None, order: Order
) -> None:
    page = PageQuery(sort=sort, order=order if sort else None)
    failed = {}
    for words in (None, "history of art"):
        for given in _given(_BOOK_FILTERS):
            query = SearchQuery(q=words, **given)
            found = _scans(library, large_tables, lambda: result_page.read(library, query, page))  # noqa: B023 (called at once)
            if found:
                failed[str((words, given))] = found
    assert failed == {}


@pytest.mark.parametrize("order", Order)
def test_lists_of_circulation_are_filtered_and_sorted_by_indexes(
    library: Connection, large_tables: set[str], order: Order
) -> None:
    """The count of an unfiltered list reads the whole table: it is left out."""
    now, one = clock.now(), row_id(7)
    loans = {"user_id": one, "status": LoanState.ACTIVE, "overdue": True}
    holds = {"user_id": one, "book_id": one, "status": HoldStatus.QUEUED}
    lists: list[tuple[AnySelect, Mapping[str, Any], Any]] = [
        *((queries.loans(now=now, **each), queries.LOAN_SORTS, Loan.id) for each in _given(loans)),
        *((queries.holds(**each), queries.HOLD_SORTS, Hold.id) for each in _given(holds)),
        (queries.copies(one), queries.COPY_SORTS, Copy.id),
        (queries.import_jobs(), queries.IMPORT_SORTS, ImportJob.id),
        (queries.import_rows(one, Severity.ERROR), queries.IMPORT_ROW_SORTS, ImportRow.id),
    ]
    failed = []
    for statement, sorts, tiebreak in lists:
        for sort in sorts:
            page = PageQuery(sort=sort, order=order)
            listed = ordered(statement, page, sorts, default=sort, tiebreak=tiebreak)
            found = _scans(
                library,
                large_tables & {tiebreak.class_.__tablename__},
                lambda: paginate_rows(library, listed, page, lambda _: page),  # noqa: B023 (called at once)
            )
            is_filtered = statement.whereclause is not None
            failed += [(sort, *each) for each in found if is_filtered or "count(*)" not in each[0]]
    assert failed == []


def test_free_copy_is_the_first_entry_of_an_index(library: Connection) -> None:
    values = {"book_id": row_id(7), "entry_id": row_id(7), "task_id": None, "changed_by": "test"}
    reserve = f"EXPLAIN {database.PREPARED['reserve_copy'].plain}"
    plan = library.exec_driver_sql(reserve, {**values, "now": clock.now()}).scalars().all()
    assert any("using ix_copies_book_id" in line for line in plan), plan
    assert not any("Sort" in line for line in plan), plan


def test_backlog_of_events_is_read_by_look_ups(library: Connection) -> None:
    """Also where nothing has counted its rows yet."""
    for table, rest in (
        ("processed_events", "gen_random_uuid(), 1, now()"),
        ("event_runs", "1, NULL, now()"),
    ):
        library.exec_driver_sql(
            f"INSERT INTO {table} SELECT gen_random_uuid(), 'robot.dispatch', {rest}"  # noqa: S608 (constants)
            " FROM generate_series(1, 5000)"
        )
    ids = [str(row_id(number)) for number in range(200)]
    values = {"ids": ids, "aggregates": ids, "consumer": "robot.dispatch"}
    runs = relay._RUNS.plain  # noqa: SLF001 (its plan)
    looked_up = (inbox._EVENTS, inbox._LAST_PROCESSED)  # noqa: SLF001 (their plans)
    explained = [
        library.exec_driver_sql(f"EXPLAIN {runs}", values),
        *(library.execute(text(f"EXPLAIN {each.text}"), values) for each in looked_up),
    ]
    for plan in explained:
        lines = plan.scalars().all()
        assert not any("Seq Scan on" in line or "hashed" in line for line in lines), lines
    library.rollback()
