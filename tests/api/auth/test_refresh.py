"""Refresh tokens are valid once; a repeat within 10 s is answered, other reuse ends the session."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.auth.registered_user import ME, REFRESH, REGISTER, RegisteredUser, code, form
from tests.event_runner import advance_clock

_REVOKED = (401, "TOKEN_REVOKED")


def _refresh(api: Any, token: str) -> Any:
    return api.post(REFRESH, json={"refresh_token": token})


def _me(api: Any, token: str) -> Any:
    return api.get(ME, headers={"Authorization": f"Bearer {token}"})


def test_refresh_returns_new_pair(api: Any, ada: RegisteredUser) -> None:
    data = _refresh(api, ada.refresh_token).json()["data"]
    assert set(data) == {"access_token", "refresh_token", "expires_in", "token_type"}
    assert data["refresh_token"] != ada.refresh_token
    assert _me(api, data["access_token"]).json()["data"]["id"] == ada.id
    assert _refresh(api, data["refresh_token"]).status_code == 200


@pytest.mark.parametrize("exchanges", [1, 3])
def test_reused_refresh_token_ends_session_and_no_other(
    api: Any,
    ada: RegisteredUser,
    exchanges: int,
    audit_trail: Callable[[], list[Any]],
    published_events: Callable[[], list[str]],
) -> None:
    other_device = ada.log_in_again(api)
    latest = {"refresh_token": ada.refresh_token}
    for _ in range(exchanges):
        latest = _refresh(api, latest["refresh_token"]).json()["data"]
    advance_clock(timedelta(seconds=11))

    assert code(_refresh(api, ada.refresh_token)) == _REVOKED
    assert code(_refresh(api, latest["refresh_token"])) == _REVOKED
    assert code(_me(api, latest["access_token"])) == _REVOKED
    assert code(_me(api, ada.access_token)) == _REVOKED
    assert _me(api, other_device.access_token).status_code == 200
    ended = audit_trail()[-1]
    assert (ended.action, ended.user_id, ended.changes) == (
        "session.ended",
        None,
        {"reason": "REFRESH_TOKEN_REUSED"},
    )
    assert published_events() == ["account.registered", "account.session.ended"]


def test_concurrent_refreshes_get_one_successor(
    api: Any, register: Callable[[], RegisteredUser]
) -> None:
    """Six sessions, eight uses at once of each."""
    with ThreadPoolExecutor(8) as many:
        for _ in range(6):
            user, start = register(), Barrier(8)

            def use(_: int, user: RegisteredUser = user, start: Barrier = start) -> str:
                start.wait()
                response = _refresh(api, user.refresh_token)
                successor: str = response.json()["data"]["refresh_token"]
                return successor

            assert len(set(many.map(use, range(8)))) == 1


@pytest.mark.usefixtures("still_clock")
def test_lost_response_is_repeated_to_the_same_device(api: Any, ada: RegisteredUser) -> None:
    first = _refresh(api, ada.refresh_token).json()["data"]
    advance_clock(timedelta(seconds=9))
    again = _refresh(api, ada.refresh_token).json()["data"]
    assert again["refresh_token"] == first["refresh_token"]
    assert _me(api, again["access_token"]).status_code == 200
    assert _refresh(api, again["refresh_token"]).status_code == 200


def test_repeat_from_another_device_ends_session(api: Any, ada: RegisteredUser) -> None:
    latest = _refresh(api, ada.refresh_token).json()["data"]
    body = {"refresh_token": ada.refresh_token}
    stolen = api.post(REFRESH, json=body, headers={"User-Agent": "another browser"})
    assert code(stolen) == _REVOKED
    assert code(_me(api, latest["access_token"])) == _REVOKED


def test_device_token_decides_whether_a_device_is_the_same(api: Any) -> None:
    login = api.post(REGISTER, json=form()).json()["data"]
    own = {"X-LUNA-Device": login["device_token"], "User-Agent": "updated meanwhile"}
    body = {"refresh_token": login["refresh_token"]}
    latest = api.post(REFRESH, json=body, headers=own).json()["data"]
    own["User-Agent"] = "updated again"
    assert (
        api.post(REFRESH, json=body, headers=own).json()["data"]["refresh_token"]
        == (latest["refresh_token"])
    )
    other = {**own, "X-LUNA-Device": "of another device"}
    assert code(api.post(REFRESH, json=body, headers=other)) == _REVOKED
    assert code(_refresh(api, latest["refresh_token"])) == _REVOKED


def test_session_expires_after_a_week_without_refresh(api: Any, ada: RegisteredUser) -> None:
    advance_clock(timedelta(days=6, hours=23))
    latest = _refresh(api, ada.refresh_token).json()["data"]["refresh_token"]
    advance_clock(timedelta(days=6, hours=23))
    latest = _refresh(api, latest).json()["data"]["refresh_token"]
    advance_clock(timedelta(days=7, seconds=1))
    assert code(_refresh(api, latest)) == _REVOKED


def test_refresh_refuses_other_secrets(api: Any, ada: RegisteredUser) -> None:
    answers = [
        _refresh(api, token)
        for token in (ada.access_token, "", "luna_rb_1_2", ada.refresh_token[:-8], "ü" * 40)
    ]
    assert {code(response) for response in answers} == {_REVOKED}
    assert _refresh(api, ada.refresh_token).status_code == 200


def test_refresh_refuses_inactive_account(api: Any, ada: RegisteredUser, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("UPDATE users SET is_active = false"))
    assert code(_refresh(api, ada.refresh_token)) == (403, "ACCOUNT_INACTIVE")
    with owner.begin() as connection:
        connection.execute(text("UPDATE users SET is_active = true"))
    assert _refresh(api, ada.refresh_token).status_code == 200


def test_refreshed_token_carries_current_role(api: Any, ada: RegisteredUser, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("UPDATE users SET role = 'LIBRARIAN', token_epoch = 1"))
    latest = _refresh(api, ada.refresh_token).json()["data"]["access_token"]
    assert _me(api, latest).json()["data"]["role"] == "LIBRARIAN"


def test_database_stores_no_token(ada: RegisteredUser, owner: Engine) -> None:
    with owner.connect() as connection:
        rows = connection.execute(text("SELECT s::text FROM sessions AS s")).scalars().all()
    assert not any(ada.refresh_token in row or ada.access_token in row for row in rows)
