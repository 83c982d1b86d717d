"""A refresh token is good for one use: of many at once one succeeds; a used one ends all."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api.auth.registered_user import ME, REFRESH, Newcomer, code
from tests.event_runner import advance_clock

_REVOKED = (401, "TOKEN_REVOKED")


def _refresh(api: Any, token: str) -> Any:
    return api.post(REFRESH, json={"refresh_token": token})


def _me(api: Any, token: str) -> Any:
    return api.get(ME, headers={"Authorization": f"Bearer {token}"})


def test_a_refresh_token_gives_a_new_pair(api: Any, ada: Newcomer) -> None:
    data = _refresh(api, ada.refresh_token).json()["data"]
    assert set(data) == {"access_token", "refresh_token", "expires_in", "token_type"}
    assert data["refresh_token"] != ada.refresh_token
    assert _me(api, data["access_token"]).json()["data"]["id"] == ada.id
    assert _refresh(api, data["refresh_token"]).status_code == 200


@pytest.mark.parametrize("exchanges", [1, 3])
def test_a_used_token_ends_the_whole_session_however_old_it_is(
    api: Any,
    ada: Newcomer,
    exchanges: int,
    audit_trail: Callable[[], list[Any]],
    published: Callable[[], list[str]],
) -> None:
    other_device = ada.signed_in_again(api)
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
    assert published() == ["account.registered", "account.session.ended"]


def test_of_many_parallel_uses_exactly_one_succeeds(
    api: Any, register: Callable[[], Newcomer]
) -> None:
    """Six sessions, eight uses at once of each."""
    with ThreadPoolExecutor(8) as many:
        for _ in range(6):
            someone, start = register(), Barrier(8)

            def use(_: int, someone: Newcomer = someone, start: Barrier = start) -> int:
                start.wait()
                answered: int = _refresh(api, someone.refresh_token).status_code
                return answered

            assert sorted(many.map(use, range(8))) == [200] + [401] * 7


def test_two_tabs_that_race_do_not_lose_the_session(api: Any, ada: Newcomer) -> None:
    """A call that arrived before the exchange is refused, but it is no theft."""
    from backend.auth.service import sessions
    from backend.shared.infra import clock, database

    arrived_at = clock.now()
    latest = _refresh(api, ada.refresh_token).json()["data"]
    with database.transaction() as session:
        assert sessions.rotate(session, ada.refresh_token, arrived_at) is None
    assert _refresh(api, latest["refresh_token"]).status_code == 200
    with database.transaction() as session:  # two exchanges ago: nobody races that long
        assert sessions.rotate(session, ada.refresh_token, arrived_at) is None
    assert code(_me(api, latest["access_token"])) == _REVOKED


def test_a_session_that_is_not_used_for_a_week_is_over(api: Any, ada: Newcomer) -> None:
    advance_clock(timedelta(days=6, hours=23))
    latest = _refresh(api, ada.refresh_token).json()["data"]["refresh_token"]
    advance_clock(timedelta(days=6, hours=23))
    latest = _refresh(api, latest).json()["data"]["refresh_token"]
    advance_clock(timedelta(days=7, seconds=1))
    assert code(_refresh(api, latest)) == _REVOKED


def test_no_other_secret_is_a_refresh_token(api: Any, ada: Newcomer) -> None:
    answers = [
        _refresh(api, token)
        for token in (ada.access_token, "", "luna_rb_1_2", ada.refresh_token[:-8], "ü" * 40)
    ]
    assert {code(answered) for answered in answers} == {_REVOKED}
    assert _refresh(api, ada.refresh_token).status_code == 200


def test_a_closed_account_gets_no_new_pair(api: Any, ada: Newcomer, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("UPDATE users SET is_active = false"))
    assert code(_refresh(api, ada.refresh_token)) == (403, "ACCOUNT_INACTIVE")
    with owner.begin() as connection:
        connection.execute(text("UPDATE users SET is_active = true"))
    assert _refresh(api, ada.refresh_token).status_code == 200


def test_a_new_pair_carries_the_present_role(api: Any, ada: Newcomer, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("UPDATE users SET role = 'LIBRARIAN', token_epoch = 1"))
    latest = _refresh(api, ada.refresh_token).json()["data"]["access_token"]
    assert _me(api, latest).json()["data"]["role"] == "LIBRARIAN"


def test_the_database_holds_no_token(ada: Newcomer, owner: Engine) -> None:
    with owner.connect() as connection:
        rows = connection.execute(text("SELECT s::text FROM sessions AS s")).scalars().all()
    assert not any(ada.refresh_token in row or ada.access_token in row for row in rows)
