"""Refresh tokens are valid once; reuse ends the session."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.auth.registered_user import ME, REFRESH, RegisteredUser, code
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


def test_concurrent_refreshes_succeed_exactly_once(
    api: Any, register: Callable[[], RegisteredUser]
) -> None:
    """Six sessions, eight uses at once of each."""
    with ThreadPoolExecutor(8) as many:
        for _ in range(6):
            user, start = register(), Barrier(8)

            def use(_: int, user: RegisteredUser = user, start: Barrier = start) -> int:
                start.wait()
                response: int = _refresh(api, user.refresh_token).status_code
                return response

            assert sorted(many.map(use, range(8))) == [200] + [401] * 7


def test_racing_refreshes_of_one_device_keep_session(api: Any, ada: RegisteredUser) -> None:
    """A request received before the exchange is refused, but ends nothing."""
    from backend.auth.service import sessions
    from backend.shared.infra import clock, database

    received_at = clock.now()
    latest = _refresh(api, ada.refresh_token).json()["data"]
    with database.transaction() as session:
        assert sessions.rotate(session, ada.refresh_token, received_at) is None
    assert _refresh(api, latest["refresh_token"]).status_code == 200
    with database.transaction() as session:  # two exchanges ago: not a race
        assert sessions.rotate(session, ada.refresh_token, received_at) is None
    assert code(_me(api, latest["access_token"])) == _REVOKED


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
