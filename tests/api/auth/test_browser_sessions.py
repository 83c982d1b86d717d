"""Browser sessions: tokens in cookies, only for pages of this site (web.md §3)."""

from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest

from tests.api.auth.registered_user import LOGIN, LOGOUT, ME, REFRESH, REGISTER, code, form
from tests.event_runner import advance_clock

WEB = {"X-LUNA-Client": "web", "Origin": "http://localhost:8080"}
_CSRF = (403, "CSRF_REJECTED")


def _cookies(response: Any) -> SimpleCookie:
    found = SimpleCookie()
    for header in response.headers.get_list("set-cookie"):
        found.load(header)
    return found


@pytest.fixture
def page(api: Any) -> Any:
    """A page that has registered; the client keeps its cookies."""
    response = api.post(REGISTER, json=form(), headers=WEB)
    assert response.status_code == 201
    return response


def test_register_puts_tokens_into_strict_cookies(page: Any) -> None:
    data = page.json()["data"]
    assert (data["refresh_token"], data["device_token"]) == (None, None)
    assert page.headers["location"] == "/api/v1/auth/me"
    refresh, device = _cookies(page)["luna_refresh"], _cookies(page)["luna_device"]
    for cookie, days in ((refresh, 7), (device, 180)):
        assert cookie["httponly"]
        assert (cookie["samesite"], cookie["path"]) == ("strict", "/api/v1/auth")
        assert int(cookie["max-age"]) == days * 86400
        assert not cookie["secure"]  # the public address of the tests is http


def test_login_and_refresh_use_the_cookie(api: Any, page: Any) -> None:
    body = {"email": form()["email"], "password": form()["password"]}
    login = api.post(LOGIN, json=body, headers=WEB)
    assert login.json()["data"]["refresh_token"] is None
    assert "luna_device" in _cookies(login)
    refreshed = api.post(REFRESH, json={}, headers=WEB)
    data = refreshed.json()["data"]
    assert data["refresh_token"] is None
    headers = {"Authorization": f"Bearer {data['access_token']}"}
    assert api.get(ME, headers=headers).status_code == 200
    assert _cookies(refreshed)["luna_refresh"].value != _cookies(login)["luna_refresh"].value


def test_cookie_is_ignored_without_the_header(api: Any, page: Any) -> None:
    assert code(api.post(REFRESH, json={}))[0] == 422
    assert code(api.post(LOGOUT)) == (401, "UNAUTHENTICATED")
    assert code(api.get(ME, headers=WEB)) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", "http://localhost:8081", "http://localhost"]
)
def test_page_of_another_site_is_refused(api: Any, page: Any, origin: str | None) -> None:
    headers = {"X-LUNA-Client": "web", **({"Origin": origin} if origin else {})}
    login = {"email": form()["email"], "password": form()["password"]}
    for path, body in (
        (REFRESH, {}),
        (LOGOUT, None),
        (LOGIN, login),
        (REGISTER, form("eve@u.edu")),
    ):
        assert code(api.post(path, json=body, headers=headers)) == _CSRF, path


def test_sign_out_works_with_the_cookie_alone(api: Any, page: Any) -> None:
    token = page.json()["data"]["access_token"]
    advance_clock(timedelta(hours=2))
    expired = {**WEB, "Authorization": f"Bearer {token}"}
    signed_out = api.post(LOGOUT, headers=expired)
    assert signed_out.status_code == 200
    assert _cookies(signed_out)["luna_refresh"].value == ""
    assert code(api.post(REFRESH, json={}, headers=WEB)) == (401, "TOKEN_REVOKED")
    old = {"refresh_token": _cookies(page)["luna_refresh"].value}
    assert code(api.post(REFRESH, json=old)) == (401, "TOKEN_REVOKED")


def test_repeated_registration_sets_the_same_cookies(api: Any) -> None:
    headers = {**WEB, "Idempotency-Key": "first-day"}
    first, again = (api.post(REGISTER, json=form(), headers=headers) for _ in range(2))
    assert first.json()["data"] == again.json()["data"]
    assert _cookies(first)["luna_refresh"].value == _cookies(again)["luna_refresh"].value
