"""Every call that creates something is done once under an idempotency key (api.md §3)."""

import re
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from tests.api.contract import filled_library
from tests.api.contract.filled_library import FilledLibrary
from tests.authorization import openapi_requests
from tests.factories import catalogue


@pytest.fixture(scope="session")
def routes(servers: dict[str, str]) -> dict[str, Any]:
    return openapi_requests.operations()


@pytest.fixture
def library(api: Any) -> FilledLibrary:
    """One that no other test reads: some calls replace what was there, such as a robot's key."""
    return filled_library.fill(api)


def _parameters(operation: Any) -> set[str]:
    return {each["name"] for each in operation.get("parameters", [])}


def _creating(routes: dict[str, Any]) -> list[str]:
    return [
        route
        for route, operation in routes.items()
        if route.startswith("POST") and {"201", "202"} & operation["responses"].keys()
    ]


def _book_for(library: FilledLibrary, route: str) -> UUID:
    """Add a title with which this call succeeds."""
    if route.endswith("/holds"):
        return library.add_unavailable_book()
    book = catalogue.add_book()
    if route.endswith("/returns"):
        library.lend(book)
    return book


def _body(library: FilledLibrary, book: UUID, example: dict[str, Any]) -> dict[str, Any]:
    """Name what exists in the example of a body."""
    known: dict[str, Any] = {
        **library.ids,
        "book_id": str(book),
        "copy_barcode": f"{book.hex[-8:]}-0".upper(),
        "source_location": "WS-1",
        "destination_location": "SR-201",
        "request_location": "SR-201",
        "pickup_location": "SR-201",
        "location_code": "NEW-1",
        "name": "New",
        "robot_name": "new-bot",
    }
    return {name: known.get(name, value) for name, value in example.items()}


def test_every_creating_call_is_done_once_under_an_idempotency_key(
    library: FilledLibrary, routes: dict[str, Any]
) -> None:
    def check(route: str) -> str | None:
        if "Idempotency-Key" not in _parameters(routes[route]):
            return "is not documented"
        book = _book_for(library, route)
        body = _body(library, book, routes[route]["request"]["body"].get("json", {}))
        of_book = replace(library, ids={**library.ids, "book_id": str(book)})
        headers = {"Idempotency-Key": f"key of {route}"}
        options = {"json": body} if body else {}
        first, second = (of_book.call(route, headers=headers, **options) for _ in range(2))
        if first.status_code not in {201, 202}:
            return f"{first.status_code} {first.text}"
        if (second.status_code, second.content) != (first.status_code, first.content):
            return f"answered {second.status_code} {second.text} the second time"
        return _problem_of_location(first, route, routes)

    problems = {route: check(route) for route in _creating(routes)}
    assert {route: problem for route, problem in problems.items() if problem} == {}


def _problem_of_location(answered: Any, route: str, routes: dict[str, Any]) -> str | None:
    """`Location` names a path that has a GET; it is there when what was created has one."""
    location = answered.headers.get("location")
    readable = [each.partition(" ")[2] for each in routes if each.startswith("GET")]
    if location is None:
        created = route.partition(" ")[2] + "/{"
        return "no Location" if any(path.startswith(created) for path in readable) else None
    patterns = [re.sub(r"\{[^}]+\}", "[^/]+", path) for path in readable]
    found = any(re.fullmatch(pattern, location) for pattern in patterns)
    return None if found else f"{location} has no GET"
