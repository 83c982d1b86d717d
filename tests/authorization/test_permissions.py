"""The table of permissions is what guards, rules and the access matrix say."""

from typing import Any

import pytest

from backend.shared.domain import permissions
from backend.shared.domain.actor import EVERYONE, STAFF
from backend.shared.domain.permissions import Action, Scope
from backend.shared.models import Role
from tests.authorization import access_matrix
from tests.authorization.access_matrix import Caller

_PREFIXES = {
    "/api/v1/deliveries": Action.MANAGE_DELIVERIES,
    "/api/v1/robot/bridge": Action.DRIVE,
    "/api/v1/auth/users": Action.ADMINISTER,
    "/api/v1/auth/service-keys": Action.ADMINISTER,
    "/api/v1/auth/audit-logs": Action.ADMINISTER,
    "/api/v1/auth/members": Action.LOOK_UP_MEMBERS,
    "/api/v1/robot/emergency-stop": Action.OPERATE_ROBOTS,
    "/api/v1/robot/resume": Action.OPERATE_ROBOTS,
    "/api/v1/robot/status": Action.OPERATE_ROBOTS,
    "/api/v1/notifications": Action.VIEW_NOTIFICATIONS,
    "/api/v1/requests": Action.VIEW_CIRCULATION,
    "/api/v1/returns": Action.VIEW_CIRCULATION,
}
# Open to all members, beside what the prefix says.
_OTHERWISE = {
    "GET /api/v1/deliveries/locations",
    "GET /api/v1/deliveries/floors",
    "POST /api/v1/robot/bridge/enroll",
}


@pytest.mark.unit
def test_admins_may_do_whatever_librarians_may() -> None:
    for action in Action:
        librarian, admin = (
            permissions.scope(role, action) for role in (Role.LIBRARIAN, Role.ADMIN)
        )
        assert admin >= librarian, action


@pytest.mark.unit
def test_robots_only_drive_and_nobody_else_does() -> None:
    driving = {
        action for action in Action if permissions.scope(Role.ROBOT, action) is not Scope.NONE
    }
    assert driving == {Action.DRIVE}
    assert permissions.roles(Action.DRIVE) == (Role.ROBOT,)


@pytest.mark.unit
def test_groups_of_roles_follow_from_the_table() -> None:
    assert (EVERYONE, STAFF) == (
        (Role.STUDENT, Role.LIBRARIAN, Role.ADMIN),
        (Role.LIBRARIAN, Role.ADMIN),
    )


@pytest.mark.unit
@pytest.mark.parametrize("prefix", _PREFIXES)
def test_access_matrix_admits_the_roles_of_the_table(prefix: str) -> None:
    expected = {Caller(role.value.lower()) for role in permissions.roles(_PREFIXES[prefix])}
    routes: dict[str, Any] = {
        route: callers
        for route, callers in access_matrix.ALLOWED_CALLERS.items()
        if route.partition(" ")[2].startswith(prefix) and route not in _OTHERWISE
    }
    assert routes
    assert {route: set(callers) for route, callers in routes.items()} == dict.fromkeys(
        routes, expected
    )
