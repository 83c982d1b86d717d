"""Statements of every route that reads: no page sends one for each of its rows."""

from typing import Any

import pytest

from tests import statements
from tests.api.contract import filled_library
from tests.authorization import openapi_requests

MAX_STATEMENTS = 6
ONE_PER_TABLE = {"GET /api/v1/auth/me/export", "GET /api/v1/auth/users/{user_id}/export"}


def test_every_read_sends_few_statements(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    library = filled_library.fill(api)
    headers = {"X-Request-ID": statements.REQUEST_ID}
    counts: dict[str, int] = {}
    for route, operation in openapi_requests.operations().items():
        if route.startswith("GET"):
            names = {each["name"] for each in operation.get("parameters", [])}
            query = {"wait": 0} if "wait" in names else {}  # of a long poll
            library.call(route, headers=headers, params=query)
            with statements.sent(monkeypatch) as sent:
                answered = library.call(route, headers=headers, params=query)
            assert answered.status_code < 500, route
            counts[route] = len(sent)
    assert {route for route, count in counts.items() if count > MAX_STATEMENTS} == ONE_PER_TABLE
