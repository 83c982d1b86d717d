"""luna.v1.UserService by Connect: the rules of /auth/users in other words."""

from itertools import count
from typing import Any

import pytest

from backend.shared.models import Role
from tests.api.rpc.connect_json import USERS, call
from tests.factories import users
from tests.factories.users import SignedInUser

_numbers = count(1)


@pytest.fixture
def admin(api: Any) -> SignedInUser:
    return users.admin()


def _person(**changes: Any) -> dict[str, Any]:
    number = next(_numbers)
    return {
        "email": f"rpc{number}@university.edu",
        "firstName": "Ada",
        "lastName": f"Number{number}",
        **changes,
    }


def test_created_user_can_be_read_and_has_the_fields_of_rest(api: Any, admin: SignedInUser) -> None:
    made = call(api, f"{USERS}/CreateUser", _person(role="ROLE_LIBRARIAN"), admin.headers)
    assert made.status == 200, made.body
    user = made.body["user"]
    got = call(api, f"{USERS}/GetUser", {"userId": user["id"]}, admin.headers)
    assert got.body["user"] == user
    rest = api.get(f"/api/v1/auth/users/{user['id']}", headers=admin.headers).json()["data"]
    assert (user["email"], user["role"]) == (rest["email"], f"ROLE_{rest['role']}")
    assert user["createdAt"][:19] == rest["created_at"][:19]


def test_taken_address_already_exists(api: Any, admin: SignedInUser) -> None:
    person = _person()
    assert call(api, f"{USERS}/CreateUser", person, admin.headers).status == 200
    again = call(api, f"{USERS}/CreateUser", person, admin.headers)
    assert (again.status, again.code) == (409, "already_exists")


def test_unknown_user_is_not_found(api: Any, admin: SignedInUser) -> None:
    unknown = {"userId": "019bc0de-7a31-7c52-9d1e-0f5c3b1a2e44"}
    assert call(api, f"{USERS}/GetUser", unknown, admin.headers).code == "not_found"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"firstName": ""}, "first_name"),
        ({"lastName": "x" * 101}, "last_name"),
        ({"firstName": "a\u0000b"}, "first_name"),
        ({"phoneNumber": "call me"}, "phone_number"),
        ({"role": 4}, "role"),
    ],
)
def test_bad_field_is_an_invalid_argument_with_its_name(
    api: Any, admin: SignedInUser, changes: dict[str, Any], field: str
) -> None:
    refused = call(api, f"{USERS}/CreateUser", _person(**changes), admin.headers)
    assert refused.code == "invalid_argument"
    assert [each["field"] for each in refused.details("BadRequest")["fieldViolations"]] == [field]


def test_list_has_pages_filters_and_an_order(api: Any, admin: SignedInUser) -> None:
    for _ in range(12):
        users.create_user(Role.STUDENT)
    first = call(api, f"{USERS}/ListUsers", {"role": "ROLE_STUDENT"}, admin.headers).body
    assert (len(first["users"]), first["totalCount"]) == (10, 12)
    rest = call(
        api,
        f"{USERS}/ListUsers",
        {"role": 1, "page": 2, "sort": "email", "pageSize": 10},
        admin.headers,
    ).body
    assert len(rest["users"]) == 2
    assert [each["email"] for each in rest["users"]] == sorted(e["email"] for e in rest["users"])
    assert call(api, f"{USERS}/ListUsers", {"query": "nobody"}, admin.headers).body["users"] == []
    out_of_range = ({"pageSize": 101}, {"page": -1}, {"page": 1001})
    for refused in (*out_of_range, {"sort": "password"}, {"query": "a\0"}):
        assert call(api, f"{USERS}/ListUsers", refused, admin.headers).code == "invalid_argument"


def test_malformed_message_reveals_no_parser(api: Any, admin: SignedInUser) -> None:
    unknown_field = '{"userId": "019bc0de-7a31-7c52-9d1e-0f5c3b1a2e44", "user": 1}'
    for body in ("{", '{"userId": 5}', "[]", "\x00", unknown_field):
        refused = call(api, f"{USERS}/GetUser", body, admin.headers)
        assert refused.code == "invalid_argument"
        assert refused.body["message"] == "The message is not a valid GetUserRequest."


def test_unknown_value_of_an_enumeration_is_refused(api: Any, admin: SignedInUser) -> None:
    for role in (77, "ROLE_KING"):
        refused = call(api, f"{USERS}/CreateUser", _person(role=role), admin.headers)
        assert refused.code == "invalid_argument"
