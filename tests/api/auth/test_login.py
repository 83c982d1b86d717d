"""Signing in: e-mail and password → a new session; a guesser learns nothing and is slowed down."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from passlib.context import CryptContext
from sqlalchemy import Engine, text

from backend.shared.infra import config, redis
from backend.shared.web.security import api_keys, rate_limits
from tests.api.auth.registered_user import LOGIN, ME, PASSWORD, Newcomer, code


def _log_in(api: Any, email: str, password: str = PASSWORD) -> Any:
    return api.post(LOGIN, json={"email": email, "password": password})


def _told(answered: Any) -> Any:
    """An answer without what differs from call to call by design."""
    headers = {name: value for name, value in answered.headers.items() if name != "x-request-id"}
    return answered.status_code, answered.json()["error"], headers


def test_whoever_knows_the_password_gets_a_session(api: Any, ada: Newcomer) -> None:
    data = _log_in(api, ada.email).json()["data"]
    assert set(data) == {"access_token", "refresh_token", "expires_in", "token_type"}
    assert (data["expires_in"], data["token_type"]) == (3600, "Bearer")
    for token in (data["access_token"], ada.access_token):
        me = api.get(ME, headers={"Authorization": f"Bearer {token}"})
        assert me.json()["data"]["id"] == ada.id


def test_no_answer_tells_whether_an_address_has_an_account(api: Any, ada: Newcomer) -> None:
    wrong = _told(_log_in(api, ada.email, "Loud-lamps-1842"))
    unknown = _told(_log_in(api, "nobody@university.edu", "Loud-lamps-1842"))
    no_address = _told(_log_in(api, "nobody", "Loud-lamps-1842"))
    assert wrong == unknown == no_address
    assert wrong[:2] == (
        401,
        {
            "code": "INVALID_CREDENTIALS",
            "message": "E-mail or password is wrong.",
            "details": {},
        },
    )


def test_an_unknown_address_costs_the_same_work(
    api: Any, ada: Newcomer, monkeypatch: pytest.MonkeyPatch, owner: Engine
) -> None:
    """Each try is one hash and one audit row, whoever it is for."""
    hashes: list[bool] = []
    verify = CryptContext.verify_and_update

    def counted(*given: Any) -> Any:
        hashes.append(True)
        return verify(*given)

    monkeypatch.setattr(CryptContext, "verify_and_update", counted)
    for email in (ada.email, "nobody@university.edu"):
        _log_in(api, email, "Loud-lamps-1842")
    assert len(hashes) == 2
    with owner.connect() as connection:
        failed = text("SELECT * FROM audit_logs WHERE action = 'login.failed' ORDER BY id")
        rows = list(connection.execute(failed))
    assert [(row.resource_id, row.changes) for row in rows] == [(ada.id, {}), (None, {})]


def test_a_closed_account_is_told_so_only_to_its_owner(
    api: Any, ada: Newcomer, owner: Engine
) -> None:
    with owner.begin() as connection:
        connection.execute(text("UPDATE users SET is_active = false"))
    assert code(_log_in(api, ada.email)) == (403, "ACCOUNT_INACTIVE")
    assert code(_log_in(api, ada.email, "Loud-lamps-1842")) == (401, "INVALID_CREDENTIALS")


def test_guessing_is_slowed_down_in_the_same_words(api: Any, ada: Newcomer) -> None:
    allowed = config.http().login_failures_before_delay
    guesses = [_told(_log_in(api, ada.email, f"Loud-lamps-{n}")) for n in range(allowed)]
    slowed = _told(_log_in(api, ada.email))  # even with the right password
    assert {str(guess) for guess in guesses} == {str(slowed)}

    rate_limits.forget_failures(api_keys.digest(ada.email))
    assert _log_in(api, ada.email).status_code == 200


def test_the_pause_doubles_up_to_a_minute_and_one_account_is_not_another(
    api: Any, register: Callable[[], Newcomer]
) -> None:
    ada, bob = register(), register()
    account = api_keys.digest(ada.email)
    pause = f"limit:pause:{account}"
    lengths = []
    for _ in range(config.http().login_failures_before_delay + 8):
        rate_limits.count_failure(account)
        lengths.append(redis.client().ttl(pause))
    assert lengths[-9:] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert _log_in(api, ada.email).status_code == 401
    assert _log_in(api, bob.email).status_code == 200


def test_a_burst_of_parallel_guesses_is_no_way_round(
    api: Any, ada: Newcomer, owner: Engine
) -> None:
    with ThreadPoolExecutor(20) as many:
        list(many.map(lambda n: _log_in(api, ada.email, f"Loud-lamps-{n}"), range(40)))
    with owner.connect() as connection:
        failed = text("SELECT count(*) FROM audit_logs WHERE action = 'login.failed'")
        assert connection.execute(failed).scalar_one() <= 10


def test_a_successful_sign_in_forgets_the_failures(api: Any, ada: Newcomer) -> None:
    for _ in range(3):
        for n in range(config.http().login_failures_before_delay - 1):
            assert _log_in(api, ada.email, f"Loud-lamps-{n}").status_code == 401
        assert _log_in(api, ada.email).status_code == 200


def test_an_older_hash_is_renewed_at_sign_in(api: Any, ada: Newcomer, owner: Engine) -> None:
    weaker = CryptContext(schemes=["argon2"], argon2__time_cost=1).hash(PASSWORD)
    with owner.begin() as connection:
        connection.execute(text("UPDATE users SET password_hash = :weak"), {"weak": weaker})
    before = api.get(ME, headers=ada.headers).headers["etag"]
    assert _log_in(api, ada.email).status_code == 200
    with owner.connect() as connection:
        kept = connection.execute(text("SELECT password_hash FROM users")).scalar_one()
    assert "t=2" in kept
    assert _log_in(api, ada.email).status_code == 200
    assert api.get(ME, headers=ada.headers).headers["etag"] == before


def test_signing_in_works_while_redis_is_away(
    api: Any, ada: Newcomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis, "is_up", lambda: False)
    assert _log_in(api, ada.email).status_code == 200
    assert _log_in(api, ada.email, "Loud-lamps-1842").status_code == 401


def test_an_incomplete_form_is_no_guess(api: Any) -> None:
    for body in (
        {},
        {"email": "a@u.edu"},
        {"email": 1, "password": "x"},
        {"email": "a", "password": "x", "otp": "1"},
    ):
        assert code(api.post(LOGIN, json=body)) == (422, "VALIDATION_ERROR")
