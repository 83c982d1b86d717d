"""Rules that every route keeps (api.md §1, §2, §3, §10), tried on each route of the document.

A new route is covered without an entry here. One that cannot keep a rule is listed with the reason.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.contract import filled_library
from tests.api.contract.filled_library import FilledLibrary
from tests.authorization import openapi_requests

# Lists of which this library has fewer than two rows: only their parameters are checked.
SHORT: set[str] = set()
NO_PAGES = {"GET /api/v1/books/suggest": "the completions of a text, at most `limit` of them"}
ANY_FIELDS = {"POST /api/v1/robot/bridge/heartbeat": "newer robots may send more (api.md §1)"}
# Resources that are changed under another path than they are read.
READ_AT = {"/api/v1/robot/robots/{robot_id}": "/api/v1/robot/status/{robot_id}"}
STALE = '"0"'


@pytest.fixture(scope="session")
def routes(servers: dict[str, str]) -> dict[str, Any]:
    return openapi_requests.operations()


@pytest.fixture(scope="module")
def library(module_api: Any) -> FilledLibrary:
    """One for all tests: they change nothing but what they create."""
    return filled_library.fill(module_api)


def _content(operation: Any, status: str = "200") -> Any:
    return operation["responses"].get(status, {}).get("content", {}).get("application/json", {})


def _parameters(operation: Any) -> set[str]:
    return {each["name"] for each in operation.get("parameters", [])}


def _failures(routes: list[str], check: Callable[[str], str | None]) -> dict[str, str]:
    """Try a rule on every route; returns what each that breaks it did."""
    return {route: problem for route in routes if (problem := check(route)) is not None}


# --- lists ----------------------------------------------------------------------------------------


def _is_list(operation: Any) -> bool:
    example = _content(operation).get("example")
    return isinstance(example, dict) and isinstance(example.get("data"), list)


def _lists(routes: dict[str, Any]) -> list[str]:
    return [
        route
        for route, operation in routes.items()
        if route.startswith("GET") and _is_list(operation) and route not in NO_PAGES
    ]


def test_every_list_takes_page_limit_sort_order_and_cursor(routes: dict[str, Any]) -> None:
    expected = {"page", "limit", "sort", "order", "cursor"}
    missing = {route: expected - _parameters(routes[route]) for route in _lists(routes)}
    assert {route: names for route, names in missing.items() if names} == {}


def test_cursor_of_every_list_continues_it_to_the_end(
    library: FilledLibrary, routes: dict[str, Any]
) -> None:
    def check(route: str) -> str | None:
        whole = library.call(route, params={"limit": 100}).json()
        if "data" not in whole:
            return str(whole)
        if len(whole["data"]) < 2:
            return None if route in SHORT else f"has {len(whole['data'])} rows"
        rows: list[Any] = []
        query: dict[str, Any] = {"limit": 1}
        while len(rows) < len(whole["data"]):
            page = library.call(route, params=query).json()
            rows += page["data"]
            query["cursor"] = page["pagination"]["next_cursor"]
            if query["cursor"] is None:
                break
        return (
            None
            if [_key(row) for row in rows] == [_key(row) for row in whole["data"]]
            else (f"gave {len(rows)} of {len(whole['data'])} rows")
        )

    assert _failures(_lists(routes), check) == {}


def _key(row: dict[str, Any]) -> Any:
    named = [row[name] for name in ("id", "task_id") if name in row]
    return named or row


# --- versions -------------------------------------------------------------------------------------


def _single_resources(routes: dict[str, Any]) -> list[str]:
    """Paths of one resource that can change: by an id, or written under the same path."""
    paths = {route.removeprefix("GET ") for route in routes if route.startswith("GET")}
    return sorted(
        path
        for path in paths
        if (path.endswith("}") or f"PUT {path}" in routes) and not _is_list(routes[f"GET {path}"])
    )


def test_every_single_resource_has_an_etag(library: FilledLibrary, routes: dict[str, Any]) -> None:
    def check(path: str) -> str | None:
        answered = library.call(f"GET {path}")
        if answered.status_code != 200:
            return f"{answered.status_code} {answered.text}"
        return None if re.fullmatch('"[!-~]+"', answered.headers.get("etag", "")) else "no ETag"

    assert _failures(_single_resources(routes), check) == {}


def test_every_change_of_a_single_resource_honours_if_match(
    library: FilledLibrary, routes: dict[str, Any]
) -> None:
    single = set(_single_resources(routes))

    def resource(route: str) -> str:
        path = route.partition(" ")[2]
        path = READ_AT.get(path, path)
        is_step = route.startswith("PUT") and path not in single
        return path.rpartition("/")[0] if is_step else path

    def check(route: str) -> str | None:
        body = routes[route]["request"]["body"]
        answered = library.call(route, headers={"If-Match": STALE}, **body)
        return None if answered.status_code == 412 else f"{answered.status_code} {answered.text}"

    writes = [
        route
        for route in routes
        if route.startswith(("PUT", "DELETE")) and resource(route) in single
    ]
    assert len(writes) > 15
    assert _failures(writes, check) == {}


# --- bodies ---------------------------------------------------------------------------------------


def test_unknown_field_of_every_body_is_refused(
    library: FilledLibrary, routes: dict[str, Any]
) -> None:
    def check(route: str) -> str | None:
        request = routes[route]["request"]
        body = {**request["body"].get("json", {}), "unknown_field": 1}
        answered = library.call(route, params=request["query"], json=body)
        fields = answered.json().get("error", {}).get("details", {}).get("fields", {})
        if answered.status_code == 422 and "unknown_field" in fields:
            return None
        return f"{answered.status_code} {answered.text}"

    writes = [route for route in routes if not route.startswith("GET") and route not in ANY_FIELDS]
    assert _failures(writes, check) == {}
