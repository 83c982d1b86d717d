"""Guessing a password: delayed, limited, and no way to keep the owner out."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.auth.service import guessing
from backend.shared.infra import clock, config, database, redis
from backend.shared.models import SignInFailures
from tests.api.auth.registered_user import LOGIN, PASSWORD, RegisteredUser
from tests.event_runner import advance_clock

_WRONG = "Loud-lamps-1842"


def _log_in(api: Any, email: str, password: str = PASSWORD, **headers: str) -> Any:
    body = {"email": email, "password": password}
    return api.post(LOGIN, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def _comparable(response: Any) -> str:
    headers = {name: value for name, value in response.headers.items() if name != "x-request-id"}
    return f"{response.status_code} {response.json()['error']} {headers}"


def _failures_in_a_row(email: str, number: int) -> None:
    """Count failures that were each spaced out enough to be admitted."""
    budget = guessing.of_account(email)
    with database.transaction() as session:
        session.merge(
            SignInFailures(
                subject=budget.subject,
                failures=number,
                blocked_until=clock.now(),
                updated_at=clock.now(),
            )
        )


@pytest.mark.parametrize("redis_is_up", [True, False])
@pytest.mark.parametrize("email", ["known", "nobody@university.edu"])
def test_repeated_failures_delay_login_with_same_error(
    api: Any, ada: RegisteredUser, monkeypatch: pytest.MonkeyPatch, *, redis_is_up: bool, email: str
) -> None:
    monkeypatch.setattr(redis, "is_up", lambda: redis_is_up)
    address = ada.email if email == "known" else email
    allowed = config.http().login_failures_before_delay
    guesses = [_comparable(_log_in(api, address, f"{_WRONG}{n}")) for n in range(allowed)]
    delayed = _comparable(_log_in(api, address))  # even with the right password
    assert {*guesses, delayed} == {delayed}

    advance_clock(timedelta(seconds=1.1))
    assert _log_in(api, ada.email).status_code == 200


def test_delay_doubles_up_to_a_minute_per_account(
    api: Any, register: Callable[[], RegisteredUser]
) -> None:
    ada, bob = register(), register()
    budget = guessing.of_account(ada.email)
    delays = []
    for _ in range(budget.allowed + 8):
        with database.transaction() as session:
            assert guessing.count(session, budget) is not None
            row = session.get_one(SignInFailures, budget.subject)
            delay = row.blocked_until - row.updated_at
            delays.append(max(delay.total_seconds(), 0))
        advance_clock(timedelta(seconds=61))
    assert delays[-10:] == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert _log_in(api, bob.email).status_code == 200


def test_concurrent_guesses_compute_few_hashes(
    api: Any, ada: RegisteredUser, owner: Engine
) -> None:
    with ThreadPoolExecutor(20) as many:
        list(many.map(lambda n: _log_in(api, ada.email, f"{_WRONG}{n}"), range(60)))
    with owner.connect() as connection:
        failed = text("SELECT count(*) FROM audit_logs WHERE action = 'login.failed'")
        assert connection.execute(failed).scalar_one() <= 10


def test_concurrent_correct_logins_all_succeed(api: Any, ada: RegisteredUser) -> None:
    with ThreadPoolExecutor(12) as many:
        answers = list(many.map(lambda _: _log_in(api, ada.email), range(12)))
    assert {response.status_code for response in answers} == {200}


def test_successful_login_resets_failure_count(api: Any, ada: RegisteredUser) -> None:
    for _ in range(3):
        for n in range(config.http().login_failures_before_delay - 1):
            assert _log_in(api, ada.email, f"{_WRONG}{n}").status_code == 401
        assert _log_in(api, ada.email).status_code == 200


def test_hundred_failures_in_a_row_leave_known_devices_only(
    api: Any, ada: RegisteredUser, published_events: Callable[[], list[str]]
) -> None:
    known = _log_in(api, ada.email).json()["data"]["device_token"]
    _failures_in_a_row(ada.email, config.http().login_failures_in_a_row - 1)
    assert _log_in(api, ada.email, _WRONG).status_code == 401
    assert published_events()[-1] == "account.login.limited"
    advance_clock(timedelta(days=2))
    assert _log_in(api, ada.email).status_code == 401
    assert _log_in(api, ada.email, X_LUNA_Device="made up").status_code == 401
    assert _log_in(api, ada.email, X_LUNA_Device=known).status_code == 200
    assert _log_in(api, ada.email).status_code == 401  # the known device proves nothing for others


def test_owner_logs_in_from_known_device_while_a_stranger_guesses(
    api: Any, ada: RegisteredUser
) -> None:
    known = _log_in(api, ada.email).json()["data"]["device_token"]
    for n in range(15):
        _log_in(api, ada.email, f"{_WRONG}{n}")
        assert _log_in(api, ada.email, X_LUNA_Device=known).status_code == 200
        advance_clock(timedelta(seconds=1))


def test_device_is_forgotten_after_many_failures(api: Any, ada: RegisteredUser) -> None:
    known = _log_in(api, ada.email).json()["data"]["device_token"]
    for n in range(guessing.MAX_DEVICE_FAILURES):
        assert _log_in(api, ada.email, f"{_WRONG}{n}", X_LUNA_Device=known).status_code == 401
        advance_clock(timedelta(seconds=61))
    _failures_in_a_row(ada.email, config.http().login_failures_in_a_row)
    assert _log_in(api, ada.email, X_LUNA_Device=known).status_code == 401


def test_device_of_another_account_is_unknown(
    api: Any, register: Callable[[], RegisteredUser]
) -> None:
    ada, eve = register(), register()
    foreign = _log_in(api, eve.email).json()["data"]["device_token"]
    _failures_in_a_row(ada.email, config.http().login_failures_in_a_row)
    assert _log_in(api, ada.email, X_LUNA_Device=foreign).status_code == 401


def test_failures_per_address_are_limited_over_all_accounts(
    api: Any, ada: RegisteredUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config.http().model_copy(update={"login_failures_per_address": 3})
    monkeypatch.setattr(config, "http", lambda: settings)
    for n in range(3):
        assert _log_in(api, ada.email, X_Real_IP="203.0.113.7").status_code == 200  # not counted
        assert _log_in(api, f"n{n}@university.edu", X_Real_IP="203.0.113.7").status_code == 401
    assert _log_in(api, ada.email, X_Real_IP="203.0.113.7").status_code == 401
    assert _log_in(api, ada.email, X_Real_IP="203.0.113.8").status_code == 200
    advance_clock(timedelta(minutes=15))
    assert _log_in(api, ada.email, X_Real_IP="203.0.113.7").status_code == 200


def test_tries_that_reach_the_row_in_another_order_than_the_clock_are_admitted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Concurrent sign-ins of one address wait for its row with times they read before."""
    budget = guessing.Budget("address:campus", 2**31 - 1, 300)
    now = clock.now()
    for seconds in (2, 1, 0):
        monkeypatch.setattr(clock, "now", lambda s=seconds: now + timedelta(seconds=s))
        with database.transaction() as session:
            assert guessing.count(session, budget) is not None
