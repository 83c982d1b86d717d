"""Secrets never reach the log, whatever becomes of their request."""

from collections.abc import Callable
from typing import Any

import pyotp

from backend.shared.infra import clock
from tests.api.auth.registered_user import LOGIN, ME, REFRESH, REGISTER, form
from tests.factories import users

PLANTED = "Planted-secret-7391"


def _words(value: Any) -> list[str]:
    """Return every text of a body that may be a secret."""
    if isinstance(value, dict):
        return [word for inner in value.values() for word in _words(inner)]
    if isinstance(value, list):
        return [word for inner in value for word in _words(inner)]
    return [value] if isinstance(value, str) else []


def test_no_secret_is_logged(api: Any, logged: Callable[[], str]) -> None:
    """Passwords, tokens, codes and keys: accepted, refused, malformed and misplaced ones."""
    registered = api.post(REGISTER, json=form(password=PLANTED)).json()["data"]
    tokens = {name: registered[name] for name in ("access_token", "refresh_token", "device_token")}
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    login = {"email": form()["email"], "password": PLANTED}
    api.post(LOGIN, json=login, headers={"X-LUNA-Device": tokens["device_token"]})
    api.post(LOGIN, json={**login, "email": PLANTED})
    api.post(LOGIN, json={"password": PLANTED})
    api.post(
        LOGIN, content=f'{{"password": "{PLANTED}"', headers={"Content-Type": "application/json"}
    )
    api.post(REFRESH, json={"refresh_token": tokens["refresh_token"]})
    api.post(REFRESH, json={"refresh_token": tokens["refresh_token"] + "x"})
    api.get(ME, headers={"Authorization": f"Basic {PLANTED}"})
    api.get(f"{ME}?password={PLANTED}&access_token={tokens['access_token']}", headers=headers)
    api.post("/api/v1/auth/reset-password", json={"token": PLANTED, "new_password": PLANTED})
    api.put("/api/v1/auth/change-password", json={"current_password": PLANTED}, headers=headers)
    totp = api.post("/api/v1/auth/me/totp", headers=headers).json()["data"]
    code = {"code": pyotp.TOTP(totp["secret"]).at(clock.now())}
    recovery = api.post("/api/v1/auth/me/totp/confirm", json=code, headers=headers).json()["data"]
    key = api.post(
        "/api/v1/auth/service-keys",
        json={"name": "kiosk", "rpcs": ["luna.v1.LibraryService/CheckOutBook"]},
        headers=users.admin().headers,
    ).json()["data"]["key"]
    api.get(ME, headers={"Authorization": f"Bearer {key}"})

    lines = logged()
    assert lines.count('"event":"request"') >= 10
    planted = [PLANTED, key, *_words(tokens), *_words(totp), *_words(recovery)]
    assert len(planted) > 10
    assert [secret for secret in planted if secret.lower() in lines] == []
