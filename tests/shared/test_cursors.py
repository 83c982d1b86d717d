"""Cursors: every row once, at any depth, in any order, also while rows are added."""

import base64
import json
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.book.search import result_page
from backend.shared.infra import database
from tests.factories import catalogue, users
from tests.scenario import Scenario, start_scenario

PAGES = 12  # more than any walk below needs


@pytest.fixture
def scenario(api: Any) -> Scenario:
    return start_scenario(api, copies=5)


def _walk(scenario: Scenario, path: str, limit: int = 2) -> list[Any]:
    """Return every row of a list, page by page."""
    rows: list[Any] = []
    cursor = ""
    for _ in range(PAGES):
        mark = "&" if "?" in path else "?"
        query = f"{path}{mark}limit={limit}{cursor}"
        body = scenario.call(scenario.librarian, "GET", query).json()
        rows += body["data"]
        if body["pagination"]["next_cursor"] is None:
            return rows
        assert len(body["data"]) == limit
        cursor = f"&cursor={body['pagination']['next_cursor']}"
    raise AssertionError("the list does not end")


def _create_transfers(scenario: Scenario) -> None:
    for priority in ("LOW", "NORMAL", "URGENT", "NORMAL", "LOW"):
        body = {
            "book_id": str(scenario.book),
            "source_location": "WS-1",
            "destination_location": "SR-201",
            "priority": priority,
        }
        scenario.call(scenario.librarian, "POST", "/deliveries/transfer", 201, json=body)


@pytest.mark.parametrize("sort", ["created_at", "priority", "status"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_walk_by_cursor_gives_every_row_once_in_order(
    scenario: Scenario, sort: str, order: str
) -> None:
    _create_transfers(scenario)
    path = f"/deliveries?sort={sort}&order={order}"
    whole = scenario.get(scenario.librarian, f"{path}&limit=100")
    assert len(whole) == 5
    assert [row["id"] for row in _walk(scenario, path)] == [row["id"] for row in whole]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_rows_without_a_sort_value_are_not_skipped(
    scenario: Scenario, owner: Engine, order: str
) -> None:
    _create_transfers(scenario)
    with owner.begin() as connection:
        statement = (
            "UPDATE copies SET shelf_location = CASE WHEN barcode LIKE '%-0' THEN 'A' "
            "WHEN barcode LIKE '%-1' THEN 'B' END"
        )
        connection.execute(text(statement))
    path = f"/deliveries/pick-list?sort=shelf_location&order={order}"
    whole = scenario.get(scenario.librarian, f"{path}&limit=100")
    walked = _walk(scenario, path)
    assert [row["task_id"] for row in walked] == [row["task_id"] for row in whole]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", ["relevance", "publication_year", "title"])
@pytest.mark.parametrize("max_ranked", [2, 1000])
def test_search_has_cursors(
    scenario: Scenario,
    owner: Engine,
    monkeypatch: pytest.MonkeyPatch,
    sort: str,
    order: str,
    max_ranked: int,
) -> None:
    """Also where only the first matches are ranked, and for titles without a year."""
    monkeypatch.setattr(result_page, "_MAX_RANKED", max_ranked)
    for number in range(6):
        catalogue.add_book(f"Left over {'again ' * (number % 3)}")
    with owner.begin() as connection:
        years = "UPDATE books SET publication_year = 2000 + length(title) WHERE title LIKE '%again'"
        connection.execute(text(years))
    path = f"/books?q=left&sort={sort}&order={order}"
    whole = scenario.get(scenario.librarian, f"{path}&limit=100")
    assert len(whole) == 7
    assert [row["id"] for row in _walk(scenario, path)] == [row["id"] for row in whole]


@pytest.mark.parametrize("path", ["/requests", "/requests?sort=status", "/robot/status"])
def test_hot_lists_have_cursors(api: Any, path: str) -> None:
    scenario = start_scenario(api, copies=1, robots=3)
    for number in range(5):
        book = catalogue.add_book(f"Title {number}")
        body = {"book_id": str(book), "request_location": "SR-201"}
        scenario.call(users.student(), "POST", "/requests", 201, json=body)
    whole = scenario.get(scenario.librarian, path)
    assert len(whole) >= 3
    assert [row["id"] for row in _walk(scenario, path)] == [row["id"] for row in whole]


def test_cursor_reaches_beyond_the_last_page(scenario: Scenario, owner: Engine) -> None:
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO notifications (id, user_id, event_id, notification_type, title, "
                "message, payload, is_read, created_at) SELECT gen_random_uuid(), :user, "
                "gen_random_uuid(), 'TEST', 't', 'm', '{}', false, now() - n * interval '1 s' "
                "FROM generate_series(1, 10150) AS n"
            ),
            {"user": scenario.librarian.id},
        )
    deep = "/notifications?limit=100&page=102"
    refused = scenario.call(scenario.librarian, "GET", deep, 422)
    assert refused.json()["error"]["code"] == "PAGE_TOO_DEEP"
    last = scenario.call(scenario.librarian, "GET", "/notifications?limit=100&page=100").json()
    cursor = last["pagination"]["next_cursor"]
    path = f"/notifications?limit=100&cursor={cursor}"
    beyond = scenario.call(scenario.librarian, "GET", path).json()
    assert len(beyond["data"]) == 100
    assert beyond["pagination"]["next_cursor"] is not None


def _forged(values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


ID = "01980000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        _forged({}),
        _forged(["-created_at", "2026-01-01", "no id"]),
        _forged(["-created_at", "\0", ID]),
        _forged(["-created_at", "9999-12-31T23:59:59-23:59", ID]),
        _forged(["-created_at", ["nested"], ID]),
        _forged(["status", "QUEUED", ID]),
    ],
)
def test_forged_cursor_is_refused(scenario: Scenario, cursor: str) -> None:
    for path in ("/deliveries", "/requests", "/notifications"):
        refused = scenario.call(
            scenario.librarian, "GET", path, 422, params={"cursor": cursor}
        ).json()
        assert list(refused["error"]["details"]["fields"]) == ["cursor"]
