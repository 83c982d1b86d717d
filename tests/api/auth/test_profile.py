"""Profile: read and partial update with If-Match."""

from collections.abc import Callable
from typing import Any

from backend.shared.domain.audit import personal_data
from backend.shared.infra import database
from tests.api.auth.registered_user import ME, RegisteredUser, code, field_errors


def test_profile_update_keeps_omitted_fields(
    api: Any, ada: RegisteredUser, audit_trail: Callable[[], list[Any]]
) -> None:
    changed = api.put(ME, headers=ada.headers, json={"phone_number": "+44 20 7946 0000"})
    assert changed.status_code == 200
    again = api.put(ME, headers=ada.headers, json={"first_name": " Augusta "}).json()["data"]
    assert (again["first_name"], again["last_name"]) == ("Augusta", "Lovelace")
    assert again["phone_number"] == "+44 20 7946 0000"
    with database.transaction() as session:
        (changes,) = personal_data.readable(session, [audit_trail()[-1].changes])
    assert changes == {"first_name": {"before": "Ada", "after": "Augusta"}}
    removed = api.put(ME, headers=ada.headers, json={"phone_number": None})
    assert removed.json()["data"]["phone_number"] is None
    assert api.get(ME, headers=ada.headers).json()["data"] == removed.json()["data"]


def test_repeated_profile_update_writes_nothing(
    api: Any, ada: RegisteredUser, audit_trail: Callable[[], list[Any]]
) -> None:
    first = api.put(ME, headers=ada.headers, json={"first_name": "Augusta"})
    trail = len(audit_trail())
    second = api.put(ME, headers=ada.headers, json={"first_name": "Augusta"})
    assert second.json()["data"] == first.json()["data"]
    assert second.headers["etag"] == first.headers["etag"]
    assert len(audit_trail()) == trail


def test_profile_update_refuses_stale_if_match(api: Any, ada: RegisteredUser) -> None:
    read = api.get(ME, headers=ada.headers).headers["etag"]
    mine = {**ada.headers, "If-Match": read}
    assert api.put(ME, headers=mine, json={"first_name": "Augusta"}).status_code == 200
    assert code(api.put(ME, headers=mine, json={"last_name": "King"})) == (412, "STALE_VERSION")
    anything = {**ada.headers, "If-Match": "*"}
    assert api.put(ME, headers=anything, json={"last_name": "King"}).status_code == 200


def test_profile_update_refuses_other_fields_and_invalid_values(
    api: Any, ada: RegisteredUser
) -> None:
    before = api.get(ME, headers=ada.headers).json()["data"]
    for field, value in (
        ("role", "ADMIN"),
        ("email", "eve@university.edu"),
        ("is_active", False),
        ("token_epoch", 0),
        ("first_name", None),
        ("first_name", ""),
        ("last_name", "L" * 101),
        ("phone_number", "12"),
    ):
        refused = api.put(ME, headers=ada.headers, json={"last_name": "King", field: value})
        assert field in field_errors(refused)
    assert api.get(ME, headers=ada.headers).json()["data"] == before


def test_profile_update_authenticates_before_validation(api: Any) -> None:
    assert code(api.put(ME, json={"role": "ADMIN"})) == (401, "UNAUTHENTICATED")
    assert code(api.put(ME, content=b"{")) == (401, "UNAUTHENTICATED")
