"""Versions of single resources, bodies of calls without fields, sorting of the task queue."""

from typing import Any

import pytest

from backend.shared.web.security import rate_limits
from tests.scenario import Scenario, start_scenario


@pytest.fixture
def scenario(api: Any) -> Scenario:
    return start_scenario(api)


def _put(scenario: Scenario, path: str, tag: str, expect: int, **body: Any) -> Any:
    headers = {"If-Match": tag}
    user = scenario.librarian if path.startswith(("/deliveries", "/robot")) else scenario.student
    return scenario.call(user, "PUT", path, expect, headers=headers, json=body)


def test_delivery_is_changed_only_from_the_version_that_was_read(scenario: Scenario) -> None:
    scenario.request_delivery()
    path = f"/deliveries/{scenario.task_id}"
    tag = scenario.call(scenario.librarian, "GET", path).headers["etag"]
    changed = _put(scenario, f"{path}/priority", tag, 200, priority="HIGH")
    assert changed.headers["etag"] != tag
    _put(scenario, f"{path}/priority", tag, 412, priority="LOW")
    _put(scenario, f"{path}/cancel", tag, 412)
    _put(scenario, f"{path}/priority", changed.headers["etag"], 200, priority="LOW")


@pytest.mark.parametrize("kind", ["requests", "returns"])
def test_request_and_return_have_versions(scenario: Scenario, kind: str) -> None:
    if kind == "requests":
        scenario.request_delivery()
    else:
        scenario.until_on_loan()
        scenario.request_return()
    path = f"/{kind}/{scenario.request['id']}"
    tag = scenario.call(scenario.student, "GET", path).headers["etag"]
    scenario.run_events()
    current = scenario.call(scenario.student, "GET", path).headers["etag"]
    assert current != tag
    _put(scenario, f"{path}/cancel", tag, 412)
    assert _put(scenario, f"{path}/cancel", current, 200).headers["etag"] != current


def test_cancelling_a_request_of_a_failed_task_changes_its_version(scenario: Scenario) -> None:
    scenario.until_departed()
    scenario.as_librarian("fail", reason="Stuck", book_location="Lift")
    path = f"/requests/{scenario.request['id']}"
    tag = scenario.call(scenario.student, "GET", path).headers["etag"]
    assert _put(scenario, f"{path}/cancel", tag, 200).headers["etag"] != tag


def test_waypoint_is_read_and_changed_by_its_version(scenario: Scenario) -> None:
    body = {"name": "New", "location_code": "N-1", "kind": "DELIVERY_POINT", "x": 1, "y": 1}
    made = scenario.call(scenario.librarian, "POST", "/robot/waypoints", 201, json=body)
    path = made.headers["location"].removeprefix("/api/v1")
    read = scenario.call(scenario.librarian, "GET", path)
    assert read.json()["data"] == made.json()["data"]
    changed = _put(scenario, path, read.headers["etag"], 200, **{**body, "name": "Newer"})
    again = scenario.call(scenario.librarian, "GET", path).headers["etag"]
    assert changed.headers["etag"] == again != read.headers["etag"]
    stale = {"If-Match": read.headers["etag"]}
    scenario.call(scenario.librarian, "DELETE", path, 412, headers=stale)


def test_copy_is_found_at_its_location(scenario: Scenario) -> None:
    path = f"/books/{scenario.book}/copies"
    made = scenario.call(scenario.librarian, "POST", path, 201, json={"barcode": "LB-7"})
    read = scenario.call(
        scenario.librarian, "GET", made.headers["location"].removeprefix("/api/v1")
    )
    assert read.json()["data"]["barcode"] == "LB-7"
    assert read.headers["etag"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/notifications/read-all"),
        ("PUT", "/notifications/019bc0de-7a31-7c52-9d1e-0f5c3b1a2e44/read"),
        ("POST", "/notifications/ws-ticket"),
    ],
)
def test_unknown_body_fields_of_notification_routes_are_refused(
    scenario: Scenario, method: str, path: str
) -> None:
    expect = 404 if path.endswith("/read") else 200
    scenario.call(scenario.student, method, path, expect)
    if expect == 200:
        scenario.call(scenario.student, method, path, 422, json={"unknown": 1})
        scenario.call(scenario.student, method, path, json={})


def test_task_queue_is_sorted_filtered_and_paged_in_the_database(api: Any) -> None:
    scenario = start_scenario(api, copies=3, robots=0)
    for priority in ("LOW", "URGENT", "NORMAL"):
        body = {
            "book_id": str(scenario.book),
            "source_location": "WS-1",
            "destination_location": "SR-201",
            "priority": priority,
        }
        scenario.call(scenario.librarian, "POST", "/deliveries/transfer", 201, json=body)

    def listed(query: str) -> list[str]:
        return [task["priority"] for task in scenario.get(scenario.librarian, query)]

    assert listed("/robot/tasks") == ["URGENT", "NORMAL", "LOW"]
    assert listed("/robot/tasks?order=desc&sort=serving_order") == ["LOW", "NORMAL", "URGENT"]
    assert listed("/robot/tasks?sort=created_at") == ["LOW", "URGENT", "NORMAL"]
    assert listed("/robot/tasks?limit=1&page=2") == ["NORMAL"]
    assert listed("/robot/tasks?priority=LOW") == ["LOW"]
    scenario.call(scenario.librarian, "GET", "/robot/tasks?sort=colour", 422)


def test_idempotency_key_lifts_no_limit_where_none_is_stored(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[str | None] = []

    async def count(_user: Any, key: str | None = None) -> None:
        keys.append(key)

    monkeypatch.setattr(rate_limits, "count_write", count)
    headers = {"Idempotency-Key": "again"}
    scenario.call(scenario.student, "PUT", "/notifications/read-all", headers=headers)
    body = {"book_id": str(scenario.book), "request_location": "SR-201"}
    scenario.call(scenario.student, "POST", "/requests", 201, headers=headers, json=body)
    assert keys == [None, "again"]
