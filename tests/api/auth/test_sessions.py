"""My sessions: listed, ended one by one or all at once, with their devices."""

from collections.abc import Callable
from typing import Any

from tests.api.auth.registered_user import LOGIN, ME, PASSWORD, RegisteredUser, code

SESSIONS = "/api/v1/auth/sessions"


def _list(api: Any, user: RegisteredUser) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(SESSIONS, headers=user.headers).json()["data"]
    return found


def test_list_shows_every_device_and_marks_the_current_one(
    api: Any, ada: RegisteredUser, register: Callable[[], RegisteredUser]
) -> None:
    register()
    other = ada.log_in_again(api)
    listed = _list(api, ada)
    assert len(listed) == 2
    assert [each["current"] for each in listed].count(True) == 1
    assert {each["user_agent"] for each in listed} == {"testclient"}
    current = next(each["id"] for each in _list(api, other) if each["current"])
    assert current != next(each["id"] for each in listed if each["current"])


def test_ended_session_is_refused_and_its_device_forgotten(
    api: Any, ada: RegisteredUser, register: Callable[[], RegisteredUser]
) -> None:
    body = {"email": ada.email, "password": PASSWORD}
    other = api.post(LOGIN, json=body).json()["data"]
    headers = {"Authorization": f"Bearer {other['access_token']}"}
    target = next(each["id"] for each in _list(api, ada) if not each["current"])

    stranger = register()
    assert api.delete(f"{SESSIONS}/{target}", headers=stranger.headers).status_code == 404
    assert api.delete(f"{SESSIONS}/{target}", headers=ada.headers).status_code == 200
    assert code(api.get(ME, headers=headers)) == (401, "TOKEN_REVOKED")
    assert api.delete(f"{SESSIONS}/{target}", headers=ada.headers).status_code == 404
    again = api.post(LOGIN, json=body, headers={"X-LUNA-Device": other["device_token"]})
    assert again.json()["data"]["device_token"] != other["device_token"]


def test_sign_out_everywhere_keeps_this_device_unless_told_otherwise(
    api: Any, ada: RegisteredUser
) -> None:
    others = [ada.log_in_again(api) for _ in range(2)]
    assert api.delete(SESSIONS, headers=ada.headers).status_code == 200
    for other in others:
        assert code(api.get(ME, headers=other.headers)) == (401, "TOKEN_REVOKED")
    assert len(_list(api, ada)) == 1
    assert api.delete(f"{SESSIONS}?keep_current=false", headers=ada.headers).status_code == 200
    assert code(api.get(ME, headers=ada.headers)) == (401, "TOKEN_REVOKED")
