"""Change of the own password: it needs the current one and ends every session."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.auth.registered_user import LOGIN, ME, PASSWORD, RegisteredUser, code, field_errors
from tests.api.auth.test_browser_sessions import WEB

CHANGE = "/api/v1/auth/change-password"
_NEW = "Calm-rivers-2027!"


def _change(api: Any, user: RegisteredUser, current: str = PASSWORD, new: str = _NEW) -> Any:
    body = {"current_password": current, "new_password": new}
    return api.put(CHANGE, json=body, headers=user.headers)


def test_change_ends_every_session_and_starts_one(
    api: Any,
    ada: RegisteredUser,
    audit_trail: Callable[[], list[Any]],
    published_events: Callable[[], list[str]],
) -> None:
    other = ada.log_in_again(api)
    data = _change(api, ada).json()["data"]
    for user in (ada, other):
        assert code(api.get(ME, headers=user.headers)) == (401, "TOKEN_REVOKED")
    headers = {"Authorization": f"Bearer {data['access_token']}"}
    assert api.get(ME, headers=headers).status_code == 200
    login = {"email": ada.email, "password": PASSWORD}
    assert api.post(LOGIN, json=login).status_code == 401
    assert api.post(LOGIN, json={**login, "password": _NEW}).status_code == 200
    assert "user.password_changed" in [row.action for row in audit_trail()]
    assert "account.password.changed" in published_events()
    assert not any(_NEW in str(row) or PASSWORD in str(row) for row in audit_trail())


def test_wrong_current_password_changes_nothing_and_is_limited(
    api: Any, ada: RegisteredUser
) -> None:
    for n in range(20):
        refused = _change(api, ada, f"Loud-lamps-{n}")
        assert code(refused) == (401, "INVALID_CREDENTIALS")
    assert code(_change(api, ada)) == (401, "INVALID_CREDENTIALS")  # with the right one too
    assert api.get(ME, headers=ada.headers).status_code == 200


@pytest.mark.parametrize("new", ["short", PASSWORD, "reader-without-digits"])
def test_new_password_must_meet_the_policy_and_differ(
    api: Any, ada: RegisteredUser, new: str
) -> None:
    assert list(field_errors(_change(api, ada, new=new))) == ["new_password"]


def test_concurrent_changes_succeed_once(api: Any, ada: RegisteredUser) -> None:
    with ThreadPoolExecutor(4) as many:
        answers = list(many.map(lambda n: _change(api, ada, new=f"{_NEW}{n}"), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


def test_browser_gets_new_cookie(api: Any, ada: RegisteredUser) -> None:
    body = {"current_password": PASSWORD, "new_password": _NEW}
    changed = api.put(CHANGE, json=body, headers={**WEB, **ada.headers})
    assert changed.json()["data"]["refresh_token"] is None
    assert "luna_refresh=" in changed.headers["set-cookie"]
