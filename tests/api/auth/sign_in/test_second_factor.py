"""Second factor: set up, sign in with a code of the app or a recovery code, remove."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from backend.auth.service.second_factor import challenges, factors
from backend.shared.infra import clock, config
from tests.api.auth.registered_user import LOGIN, LOGOUT, ME, PASSWORD, RegisteredUser, code
from tests.api.auth.test_browser_sessions import WEB
from tests.event_runner import advance_clock
from tests.factories import users

TOTP = "/api/v1/auth/me/totp"
RECOVERY = "/api/v1/auth/me/recovery-codes"
SECOND = "/api/v1/auth/login/second-factor"
_WRONG = (401, "INVALID_CREDENTIALS")
_REQUIRED = (403, "SECOND_FACTOR_REQUIRED")


def _code(secret: str) -> str:
    return pyotp.TOTP(secret).at(clock.now())


def _next_code(secret: str) -> str:
    """Return the code of the next step; the present one may have been used."""
    advance_clock(timedelta(seconds=30))
    return _code(secret)


def _set_up(api: Any, headers: dict[str, str]) -> tuple[str, list[str]]:
    made = api.post(TOTP, headers=headers)
    assert (made.status_code, made.headers["location"]) == (201, TOTP)
    secret: str = made.json()["data"]["secret"]
    assert f"secret={secret}" in made.json()["data"]["otpauth_uri"]
    confirmed = api.post(f"{TOTP}/confirm", json={"code": _code(secret)}, headers=headers)
    assert confirmed.status_code == 200, confirmed.text
    return secret, confirmed.json()["data"]["recovery_codes"]


def _challenge(api: Any, email: str) -> str:
    refused = api.post(LOGIN, json={"email": email, "password": PASSWORD})
    assert code(refused) == (401, "SECOND_FACTOR_REQUIRED")
    challenge: str = refused.json()["error"]["details"]["challenge"]
    return challenge


def _answer(api: Any, challenge: str, given: str, **headers: str) -> Any:
    return api.post(SECOND, json={"challenge": challenge, "code": given}, headers=headers)


def test_log_in_needs_a_code_once_it_is_set_up(
    api: Any, ada: RegisteredUser, audit_trail: Callable[[], list[Any]]
) -> None:
    api.post(TOTP, headers=ada.headers)
    assert api.post(LOGIN, json={"email": ada.email, "password": PASSWORD}).status_code == 200
    secret, _ = _set_up(api, ada.headers)  # a second secret replaces the unconfirmed one
    challenge = _challenge(api, ada.email)
    signed_in = _answer(api, challenge, _next_code(secret))
    assert signed_in.status_code == 200
    token = signed_in.json()["data"]["access_token"]
    assert api.get(ME, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert code(_answer(api, challenge, _next_code(secret))) == _WRONG  # a challenge works once
    assert not any(secret in str(row) for row in audit_trail())
    assert "user.second_factor_enabled" in [row.action for row in audit_trail()]


def test_code_is_accepted_once_and_only_near_its_time(api: Any, ada: RegisteredUser) -> None:
    secret, _ = _set_up(api, ada.headers)
    used = _next_code(secret)
    assert _answer(api, _challenge(api, ada.email), used).status_code == 200
    assert code(_answer(api, _challenge(api, ada.email), used)) == _WRONG
    old = _next_code(secret)
    advance_clock(timedelta(seconds=61))
    assert code(_answer(api, _challenge(api, ada.email), old)) == _WRONG
    assert _answer(api, _challenge(api, ada.email), f" {_code(secret)} ").status_code == 200


def test_concurrent_uses_of_one_code_sign_in_once(api: Any, ada: RegisteredUser) -> None:
    secret, _ = _set_up(api, ada.headers)
    challenge, given = _challenge(api, ada.email), _next_code(secret)
    others = [_challenge(api, ada.email) for _ in range(3)]
    with ThreadPoolExecutor(4) as many:
        answers = list(many.map(lambda each: _answer(api, each, given), [challenge, *others]))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


def test_recovery_code_works_once(api: Any, ada: RegisteredUser) -> None:
    _, codes = _set_up(api, ada.headers)
    assert len(set(codes)) == factors.RECOVERY_CODES
    assert _answer(api, _challenge(api, ada.email), codes[0].upper()).status_code == 200
    assert code(_answer(api, _challenge(api, ada.email), codes[0])) == _WRONG
    left = api.get(TOTP, headers=ada.headers).json()["data"]["recovery_codes_left"]
    assert left == factors.RECOVERY_CODES - 1


def test_recovery_codes_are_renewed_by_a_code_of_the_app(api: Any, ada: RegisteredUser) -> None:
    secret, old = _set_up(api, ada.headers)
    assert code(api.post(RECOVERY, json={"code": old[0]}, headers=ada.headers)) == _WRONG
    renewed = api.post(RECOVERY, json={"code": _next_code(secret)}, headers=ada.headers)
    new = renewed.json()["data"]["recovery_codes"]
    assert code(_answer(api, _challenge(api, ada.email), old[0])) == _WRONG
    assert _answer(api, _challenge(api, ada.email), new[0]).status_code == 200


def test_challenge_ends_after_five_tries_or_five_minutes(api: Any, ada: RegisteredUser) -> None:
    secret, _ = _set_up(api, ada.headers)
    challenge, late = _challenge(api, ada.email), _challenge(api, ada.email)
    for _ in range(challenges.MAX_TRIES):
        advance_clock(timedelta(seconds=1))
        assert code(_answer(api, challenge, "000000")) == _WRONG
    advance_clock(timedelta(minutes=2))
    assert code(_answer(api, challenge, _code(secret))) == _WRONG
    assert code(_answer(api, "made up", _code(secret))) == _WRONG
    advance_clock(timedelta(minutes=4))
    assert code(_answer(api, late, _code(secret))) == _WRONG
    assert _answer(api, _challenge(api, ada.email), _code(secret)).status_code == 200


def test_new_challenges_give_no_new_tries(api: Any, ada: RegisteredUser) -> None:
    secret, _ = _set_up(api, ada.headers)
    for _ in range(config.http().login_failures_before_delay):
        _answer(api, _challenge(api, ada.email), "000000")
    assert code(_answer(api, _challenge(api, ada.email), _code(secret))) == _WRONG  # delayed
    advance_clock(timedelta(seconds=60))
    assert _answer(api, _challenge(api, ada.email), _code(secret)).status_code == 200


def test_challenge_ends_with_a_changed_password(api: Any, ada: RegisteredUser) -> None:
    secret, _ = _set_up(api, ada.headers)
    challenge = _challenge(api, ada.email)
    body = {"current_password": PASSWORD, "new_password": "Calm-rivers-2027!"}
    assert (
        api.put("/api/v1/auth/change-password", json=body, headers=ada.headers).status_code == 200
    )
    assert code(_answer(api, challenge, _next_code(secret))) == _WRONG


def test_removal_needs_password_and_code(api: Any, ada: RegisteredUser) -> None:
    secret, recovery = _set_up(api, ada.headers)
    assert code(api.post(TOTP, headers=ada.headers)) == (409, "CONFLICT")

    def remove(password: str, given: str) -> Any:
        body = {"password": password, "code": given}
        return api.request("DELETE", TOTP, json=body, headers=ada.headers)

    assert code(remove("Loud-lamps-1842", _next_code(secret))) == _WRONG
    assert code(remove(PASSWORD, "000000")) == _WRONG
    assert remove(PASSWORD, recovery[0]).status_code == 200  # also without the lost device
    assert api.get(TOTP, headers=ada.headers).json()["data"]["enabled"] is False
    assert api.post(LOGIN, json={"email": ada.email, "password": PASSWORD}).status_code == 200


def test_administrator_resets_the_second_factor_of_somebody_who_lost_it(
    api: Any, ada: RegisteredUser, audit_trail: Callable[[], list[Any]]
) -> None:
    _, codes = _set_up(api, ada.headers)
    admin = users.admin()
    path = f"/api/v1/auth/users/{ada.id}/totp"
    assert api.delete(path, headers=admin.headers).status_code == 200
    assert audit_trail()[-1][:3] == ("user.second_factor_reset", admin.id, ada.id)
    assert api.post(LOGIN, json={"email": ada.email, "password": PASSWORD}).status_code == 200
    assert code(api.delete(path, headers=admin.headers)) == (404, "NOT_FOUND")
    _set_up(api, ada.headers)
    assert code(_answer(api, _challenge(api, ada.email), codes[0])) == _WRONG  # an earlier one


def test_administrator_does_not_reset_the_own_second_factor(api: Any) -> None:
    admin = users.with_second_factor(users.admin())
    path = f"/api/v1/auth/users/{admin.id}/totp"
    assert code(api.delete(path, headers=admin.headers)) == (403, "FORBIDDEN")


def test_browser_gets_its_cookie_after_the_code(api: Any, ada: RegisteredUser) -> None:
    secret, _ = _set_up(api, ada.headers)
    signed_in = _answer(api, _challenge(api, ada.email), _next_code(secret), **WEB)
    assert signed_in.json()["data"]["refresh_token"] is None
    assert "luna_refresh=" in signed_in.headers["set-cookie"]
    evil = {**WEB, "Origin": "https://evil.example"}
    refused = _answer(api, _challenge(api, ada.email), _next_code(secret), **evil)
    assert code(refused) == (403, "CSRF_REJECTED")


@pytest.fixture
def _required(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config.auth().model_copy(update={"admin_second_factor": True})
    monkeypatch.setattr(config, "auth", lambda: settings)


@pytest.mark.usefixtures("_required")
def test_administrator_must_set_one_up_before_anything_else(api: Any) -> None:
    admin, librarian = users.admin(), users.librarian()
    assert code(api.get("/api/v1/auth/users", headers=admin.headers)) == _REQUIRED
    assert api.get("/api/v1/auth/members", headers=librarian.headers).status_code == 200
    assert api.get(ME, headers=admin.headers).status_code == 200
    assert api.get(TOTP, headers=admin.headers).json()["data"] == {
        "enabled": False,
        "required": True,
        "confirmed_at": None,
        "recovery_codes_left": 0,
    }
    _set_up(api, admin.headers)
    assert api.get("/api/v1/auth/users", headers=admin.headers).status_code == 200
    assert api.post(LOGOUT, headers=users.admin().headers).status_code == 200


@pytest.mark.parametrize(
    ("environment", "chosen", "needed"),
    [
        ("production", None, True),
        ("development", None, False),
        ("production", False, False),
        ("development", True, True),
    ],
)
def test_second_factor_of_administrators_is_on_in_production_by_default(
    servers: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    environment: str,
    chosen: bool | None,
    needed: bool,
) -> None:
    process = config.process().model_copy(update={"environment": config.Environment(environment)})
    auth = config.auth().model_copy(update={"admin_second_factor": chosen})
    monkeypatch.setattr(config, "process", lambda: process)
    monkeypatch.setattr(config, "auth", lambda: auth)
    assert config.needs_admin_second_factor() is needed
