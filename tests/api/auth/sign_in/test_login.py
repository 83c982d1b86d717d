"""Login: a session for correct credentials; a refusal reveals nothing."""

from typing import Any

import pytest
from passlib.context import CryptContext
from sqlalchemy import Engine, text

from tests.api.auth.registered_user import LOGIN, ME, PASSWORD, RegisteredUser, code


def _log_in(api: Any, email: str, password: str = PASSWORD) -> Any:
    return api.post(LOGIN, json={"email": email, "password": password})


def _comparable(response: Any) -> Any:
    """Return status, error and headers without the request id."""
    headers = {name: value for name, value in response.headers.items() if name != "x-request-id"}
    return response.status_code, response.json()["error"], headers


def test_login_starts_additional_session(api: Any, ada: RegisteredUser) -> None:
    data = _log_in(api, ada.email).json()["data"]
    assert set(data) == {
        "access_token",
        "refresh_token",
        "expires_in",
        "token_type",
        "device_token",
    }
    assert (data["expires_in"], data["token_type"]) == (3600, "Bearer")
    for token in (data["access_token"], ada.access_token):
        me = api.get(ME, headers={"Authorization": f"Bearer {token}"})
        assert me.json()["data"]["id"] == ada.id


def test_failed_login_does_not_reveal_whether_account_exists(api: Any, ada: RegisteredUser) -> None:
    wrong = _comparable(_log_in(api, ada.email, "Loud-lamps-1842"))
    unknown = _comparable(_log_in(api, "nobody@university.edu", "Loud-lamps-1842"))
    no_address = _comparable(_log_in(api, "nobody", "Loud-lamps-1842"))
    assert wrong == unknown == no_address
    assert wrong[:2] == (
        401,
        {
            "code": "INVALID_CREDENTIALS",
            "message": "E-mail or password is wrong.",
            "details": {},
        },
    )


def test_failed_login_does_same_work_for_unknown_address(
    api: Any, ada: RegisteredUser, monkeypatch: pytest.MonkeyPatch, owner: Engine
) -> None:
    """Each attempt computes one hash and writes one audit entry."""
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


def test_login_reveals_inactive_account_only_with_correct_password(
    api: Any, ada: RegisteredUser, owner: Engine
) -> None:
    with owner.begin() as connection:
        connection.execute(text("UPDATE users SET is_active = false"))
    assert code(_log_in(api, ada.email)) == (403, "ACCOUNT_INACTIVE")
    assert code(_log_in(api, ada.email, "Loud-lamps-1842")) == (401, "INVALID_CREDENTIALS")


def test_login_renews_outdated_hash_and_keeps_etag(
    api: Any, ada: RegisteredUser, owner: Engine
) -> None:
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


def test_login_refuses_malformed_body(api: Any) -> None:
    for body in (
        {},
        {"email": "a@u.edu"},
        {"email": 1, "password": "x"},
        {"email": "a", "password": "x", "otp": "1"},
    ):
        assert code(api.post(LOGIN, json=body)) == (422, "VALIDATION_ERROR")
