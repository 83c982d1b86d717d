"""Every route × every kind of caller: let in, or refused with the code that says why."""

from itertools import count
from typing import Any

import pytest

from backend.shared.infra import database
from ops.docs import openapi
from tests.authorization import openapi_requests
from tests.authorization.access_matrix import (
    KNOCKING,
    OUTSIDE_THE_DOCUMENT,
    WHO_MAY,
    Caller,
    refusal,
)
from tests.factories import users

_numbers = count(1)


def _robot_headers() -> dict[str, str]:
    from backend.robot.service import registry

    with database.transaction() as session:
        robot = registry.register(session, f"who-may-{next(_numbers)}", "TurtleBot 4", None)
        return {"Authorization": f"Bearer {registry.new_key(session, robot.id, None)}"}


def _everybody() -> dict[Caller, dict[str, str]]:
    """The headers that each kind of caller sends."""
    return {
        Caller.ANONYMOUS: {},
        Caller.STUDENT: users.student().headers,
        Caller.LIBRARIAN: users.librarian().headers,
        Caller.ADMIN: users.admin().headers,
        Caller.ROBOT: _robot_headers(),
    }


@pytest.fixture(scope="module")
def gateway(_gateway: Any) -> Any:
    """All services over whatever is in the database: who may does not depend on it."""
    return _gateway


@pytest.fixture(scope="module")
def callers(gateway: Any) -> dict[Caller, dict[str, str]]:
    return _everybody()


@pytest.fixture(scope="session")
def documented(servers: dict[str, str]) -> dict[str, Any]:
    return openapi_requests.operations()


def test_every_route_says_who_may(documented: dict[str, Any]) -> None:
    assert sorted(documented.keys() - WHO_MAY.keys()) == [], "routes without an expectation"
    assert sorted(WHO_MAY.keys() - documented.keys()) == [], "expectations without a route"


def test_no_route_hides_from_the_table(servers: dict[str, str]) -> None:
    for app in openapi.apps().values():
        hidden = set(openapi_requests.paths_of(app.routes)) - set(app.openapi()["paths"])
        assert hidden <= OUTSIDE_THE_DOCUMENT


@pytest.mark.parametrize("route", sorted(WHO_MAY))
def test_only_those_who_may_get_in(
    gateway: Any, callers: dict[Caller, dict[str, str]], documented: dict[str, Any], route: str
) -> None:
    method, template = route.split(" ")
    path, query, body = documented[route]["request"].values()
    if route in KNOCKING and "password" in body.get("json", {}):
        body["json"] = {
            **body["json"],
            "password": "nobody's secret",
        }  # another test's may be right
    if route.endswith("/logout"):
        callers = _everybody()  # theirs end here
    for caller, headers in callers.items():
        answered = gateway.request(
            method, template.format(**path), params=query, headers=headers, **body
        )
        told = (answered.status_code, _code(answered))
        if caller not in WHO_MAY[route]:
            assert told == refusal(caller), f"{caller} was not refused"
            assert set(answered.json()) == {"success", "error", "meta"}
        elif route in KNOCKING:
            assert told == KNOCKING[route]
        else:
            assert told[0] not in {401, 403}, f"{caller} was refused: {told}"
            assert told[0] < 500, f"{caller} broke it: {told}"


def _code(answered: Any) -> str | None:
    if "application/json" not in answered.headers["content-type"]:
        return None
    error: dict[str, str] = answered.json().get("error", {})
    return error.get("code")
