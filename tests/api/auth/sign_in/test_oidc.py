"""Campus sign-in against a real provider: code with PKCE, linked by verified address."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest

from backend.auth.service.second_factor import factors
from backend.shared.infra import clock, config
from backend.shared.models import Role
from backend.shared.web.security import jwks
from tests.api.auth.registered_user import LOGIN, ME, PASSWORD, RegisteredUser, code
from tests.api.auth.sign_in import oidc_provider
from tests.api.auth.sign_in.oidc_provider import Provider
from tests.factories import users

START = "/api/v1/auth/oidc/start"
CALLBACK = "/api/v1/auth/oidc/callback"
_REFUSED = (401, "UNAUTHENTICATED")
_GRACE = {
    "email": "Grace@University.edu",
    "email_verified": True,
    "given_name": "Grace",
    "family_name": "Hopper",
}


@pytest.fixture
def provider(servers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with oidc_provider.running(_GRACE) as made:
        settings = made.settings()
        monkeypatch.setattr(config, "oidc", lambda: settings)
        yield made


def _at_provider(api: Any, **query: str) -> str:
    """Start, sign in at the provider, and return the address it leads back to."""
    started = api.get(START, params=query, follow_redirects=False)
    assert started.status_code == 302, started.text
    back = httpx.get(started.headers["location"]).headers["location"]
    assert back.startswith(f"http://localhost:8080{CALLBACK}?")
    return str(back)


def _sign_in(api: Any, **query: str) -> Any:
    back = urlsplit(_at_provider(api, **query))
    return api.get(f"{back.path}?{back.query}", follow_redirects=False)


def _me(api: Any, signed_in: Any) -> Any:
    assert signed_in.status_code == 200, signed_in.text
    token = signed_in.json()["data"]["access_token"]
    return api.get(ME, headers={"Authorization": f"Bearer {token}"}).json()["data"]


def test_there_is_none_until_it_is_configured(api: Any) -> None:
    for path in (START, CALLBACK):
        assert code(api.get(path, follow_redirects=False)) == (404, "NOT_FOUND")
    assert api.get("/api/v1/auth/client-settings").json()["data"]["oidc"] is False


def test_first_sign_in_creates_a_student_and_the_second_finds_it(
    api: Any, provider: Provider
) -> None:
    first = _me(api, _sign_in(api))
    assert (first["email"], first["role"]) == ("grace@university.edu", Role.STUDENT)
    assert (first["first_name"], first["last_name"]) == ("Grace", "Hopper")
    assert _me(api, _sign_in(api))["id"] == first["id"]
    body = {"email": first["email"], "password": PASSWORD}
    assert code(api.post(LOGIN, json=body)) == (401, "INVALID_CREDENTIALS")  # it has no password
    assert api.get("/api/v1/auth/client-settings").json()["data"]["oidc"] is True


def test_account_of_the_verified_address_is_linked(api: Any, provider: Provider) -> None:
    librarian = users.librarian()
    provider.person["email"] = librarian.email
    found = _me(api, _sign_in(api))
    assert (found["id"], found["role"]) == (str(librarian.id), Role.LIBRARIAN)


def test_account_that_a_stranger_registered_goes_to_the_owner_of_the_address(
    api: Any, ada: RegisteredUser, provider: Provider
) -> None:
    provider.person["email"] = ada.email  # whose address nobody has verified
    assert _me(api, _sign_in(api))["id"] == ada.id
    assert code(api.get(ME, headers=ada.headers)) == (401, "TOKEN_REVOKED")
    assert api.post(LOGIN, json={"email": ada.email, "password": PASSWORD}).status_code == 401


def test_browser_is_redirected_with_its_session_in_cookies(api: Any, provider: Provider) -> None:
    signed_in = _sign_in(api, client="web")
    assert (signed_in.status_code, signed_in.headers["location"]) == (
        303,
        "http://localhost:8080/",
    )
    cookies = " ".join(signed_in.headers.get_list("set-cookie"))
    assert "luna_refresh=" in cookies
    assert "token" not in signed_in.headers["location"]


def _with_second_factor(role: Role) -> users.SignedInUser:
    """Create an account whose owner has verified the address; of others the factor is dropped."""
    return users.with_second_factor(users.create_user(role, email_verified_at=clock.now()))


def test_account_with_a_second_factor_still_needs_its_code(api: Any, provider: Provider) -> None:
    admin = _with_second_factor(Role.ADMIN)
    provider.person["email"] = admin.email
    assert code(_sign_in(api)) == (401, "SECOND_FACTOR_REQUIRED")


def test_browser_is_redirected_to_the_page_that_asks_for_the_code(
    api: Any, provider: Provider
) -> None:
    student = _with_second_factor(Role.STUDENT)
    provider.person["email"] = student.email
    signed_in = _sign_in(api, client="web")
    page, _, challenge = signed_in.headers["location"].partition("#challenge=")
    assert (signed_in.status_code, page) == (303, "http://localhost:8080/sign-in")
    assert "luna_refresh=" not in " ".join(signed_in.headers.get_list("set-cookie"))
    body = {"challenge": challenge, "code": "000000"}
    answered = api.post("/api/v1/auth/login/second-factor", json=body)
    assert code(answered) == (401, "INVALID_CREDENTIALS")
    assert answered.json()["error"]["message"] == factors.WRONG_CODE


def test_second_factor_of_a_stranger_keeps_no_owner_out(
    api: Any, ada: RegisteredUser, provider: Provider
) -> None:
    headers = ada.headers
    secret = api.post("/api/v1/auth/me/totp", headers=headers).json()["data"]["secret"]
    given = {"code": pyotp.TOTP(secret).at(clock.now())}
    assert api.post("/api/v1/auth/me/totp/confirm", json=given, headers=headers).is_success
    provider.person["email"] = ada.email  # whose address nobody has verified
    assert _me(api, _sign_in(api))["id"] == ada.id


@pytest.mark.parametrize(
    "changes",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": None},
        {"aud": "another-client"},
        {"iss": "https://evil.example"},
        {"nonce": "of-another-sign-in"},
        {"exp": 1},
        {"exp": None},
    ],
)
def test_id_token_that_is_not_for_this_sign_in_is_refused(
    api: Any, provider: Provider, changes: dict[str, Any]
) -> None:
    provider.changes = changes
    assert code(_sign_in(api)) == _REFUSED


def test_id_token_signed_by_another_key_is_refused(api: Any, provider: Provider) -> None:
    provider.signs_with = jwks.generate()
    assert code(_sign_in(api)) == _REFUSED


def test_callback_belongs_to_the_browser_that_started(api: Any, provider: Provider) -> None:
    """A stranger's code or state signs nobody in, and neither works twice."""
    back = urlsplit(_at_provider(api))
    query = {name: values[0] for name, values in parse_qs(back.query).items()}
    altered = api.get(CALLBACK, params={**query, "state": "other"}, follow_redirects=False)
    assert code(altered) == _REFUSED
    assert api.get(CALLBACK, params=query, follow_redirects=False).status_code == 200
    assert code(api.get(CALLBACK, params=query, follow_redirects=False)) == _REFUSED  # a used code
    other = urlsplit(_at_provider(api))
    api.cookies.clear()
    assert code(api.get(f"{other.path}?{other.query}")) == _REFUSED


def test_code_is_useless_without_the_verifier(api: Any, provider: Provider) -> None:
    """PKCE: the provider refuses a code that another client's verifier accompanies."""
    stolen = parse_qs(urlsplit(_at_provider(api)).query)["code"][0]
    own = parse_qs(urlsplit(_at_provider(api)).query)
    query = {"code": stolen, "state": own["state"][0]}
    assert code(api.get(CALLBACK, params=query, follow_redirects=False)) == _REFUSED


def test_deactivated_account_is_refused(api: Any, provider: Provider) -> None:
    gone = users.create_user(is_active=False)
    provider.person["email"] = gone.email
    assert code(_sign_in(api)) == (403, "ACCOUNT_INACTIVE")


@pytest.mark.parametrize("issuer", ["http://login.example.edu", "login.example.edu"])
def test_issuer_must_be_reached_by_https(issuer: str) -> None:
    with pytest.raises(ValueError, match="https"):
        config.OidcSettings(oidc_issuer=issuer)
