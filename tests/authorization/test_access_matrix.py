"""Every route × every kind of caller: admitted, or refused with the documented code."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from backend.shared.infra import config, database
from backend.shared.web.security import rate_limits
from backend.shared.web.security.rate_limits import RefusalQueue
from ops.docs import openapi
from tests.authorization import openapi_requests
from tests.authorization.access_matrix import (
    ALLOWED_CALLERS,
    OUTSIDE_THE_DOCUMENT,
    SECRET_CHECKED,
    Caller,
    admits,
    refusal,
)
from tests.factories import users

_numbers = count(1)


def _robot_headers() -> dict[str, str]:
    from backend.robot.service import registry

    with database.transaction() as session:
        robot = registry.register(session, f"access-{next(_numbers)}", "TurtleBot 4", None)
        return {"Authorization": f"Bearer {registry.new_key(session, robot.id, None)}"}


def _create_callers() -> dict[Caller, dict[str, str]]:
    """Create one caller of each kind and return its headers."""
    return {
        Caller.ANONYMOUS: {},
        Caller.STUDENT: users.student().headers,
        Caller.LIBRARIAN: users.librarian().headers,
        Caller.ADMIN: users.with_second_factor(users.admin()).headers,
        Caller.ADMIN_TO_SET_UP: users.admin().headers,
        Caller.ROBOT: _robot_headers(),
    }


@pytest.fixture(scope="module")
def gateway(_gateway: Any) -> Any:
    """All services over any database content: access does not depend on it."""
    return _gateway


@pytest.fixture(scope="module", autouse=True)
def _needs_second_factor(gateway: Any) -> Iterator[None]:
    """Require a second factor of administrators, as in production; refuse keys at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_limits, "REFUSALS", RefusalQueue(1, 1, longest=0))
        settings = config.auth().model_copy(update={"admin_second_factor": True})
        patch.setattr(config, "auth", lambda: settings)
        yield


@pytest.fixture(scope="module")
def callers(gateway: Any) -> dict[Caller, dict[str, str]]:
    return _create_callers()


@pytest.fixture(scope="session")
def documented(servers: dict[str, str]) -> dict[str, Any]:
    return openapi_requests.operations()


def test_every_route_has_an_expectation(documented: dict[str, Any]) -> None:
    assert sorted(documented.keys() - ALLOWED_CALLERS.keys()) == [], "routes without an expectation"
    assert sorted(ALLOWED_CALLERS.keys() - documented.keys()) == [], "expectations without a route"


def test_every_undocumented_route_is_listed(servers: dict[str, str]) -> None:
    for app in openapi.apps().values():
        hidden = set(openapi_requests.paths_of(app.routes)) - set(app.openapi()["paths"])
        assert hidden <= OUTSIDE_THE_DOCUMENT


@pytest.mark.parametrize("route", sorted(ALLOWED_CALLERS))
def test_route_admits_only_its_callers(
    gateway: Any, callers: dict[Caller, dict[str, str]], documented: dict[str, Any], route: str
) -> None:
    method, template = route.split(" ")
    path, query, body = documented[route]["request"].values()
    for field in {"password", "current_password"} & body.get("json", {}).keys():
        if route in SECRET_CHECKED:  # the example may be another test's password
            body["json"] = {**body["json"], field: "nobody's secret"}
    if route.endswith(("/logout", "/me/erase", "DELETE /api/v1/auth/sessions")):
        callers = _create_callers()  # logging out ends their sessions
    for caller, headers in callers.items():
        answered = gateway.request(
            method, template.format(**path), params=query, headers=headers, **body
        )
        told = (answered.status_code, _code(answered))
        if not admits(route, caller):
            assert told == refusal(caller, route), f"{caller} was not refused"
            assert set(answered.json()) == {"success", "error", "meta"}
        elif route in SECRET_CHECKED:
            assert told == SECRET_CHECKED[route]
        else:
            assert told[0] not in {401, 403}, f"{caller} was refused: {told}"
            assert told[0] < 500, f"{caller} broke it: {told}"


def _code(answered: Any) -> str | None:
    if "application/json" not in answered.headers["content-type"]:
        return None
    error: dict[str, str] = answered.json().get("error", {})
    return error.get("code")
