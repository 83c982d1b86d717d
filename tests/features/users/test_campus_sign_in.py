"""Sign in with the account of the university (OpenID Connect).

start → the browser signs in at the university → it comes back with a code → LUNA exchanges the
code and its PKCE verifier for an ID token → the account of the verified address is found or made.

FastAPI redirects the browser, httpx calls the provider, python-jose verifies the ID token against
the provider's published keys, SQLAlchemy links the identity.
"""

from urllib.parse import urlsplit

import httpx
import pytest

from backend.shared.infra import config
from tests.api.auth.sign_in import oidc_provider
from tests.scenario import Scenario

GRACE = {
    "email": "grace@university.edu",
    "email_verified": True,
    "given_name": "Grace",
    "family_name": "Hopper",
}


def test_person_of_the_university_has_an_account_after_the_first_sign_in(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    with oidc_provider.running(GRACE) as provider:
        settings = provider.settings()
        monkeypatch.setattr(config, "oidc", lambda: settings)
        begun = scenario.call(None, "GET", "/auth/oidc/start", 302, follow_redirects=False)
        back = urlsplit(httpx.get(begun.headers["location"]).headers["location"])
        code = back.path.removeprefix("/api/v1") + f"?{back.query}"
        tokens = scenario.call(None, "GET", code).json()["data"]

    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    profile = scenario.call(None, "GET", "/auth/me", headers=headers).json()["data"]
    assert (profile["email"], profile["role"]) == (GRACE["email"], "STUDENT")
