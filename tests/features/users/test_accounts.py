"""Register, log in, refresh and log out.

register (the password is hashed) → access token for an hour, refresh token for seven days →
refresh replaces both → log out ends the session for every service.

passlib hashes the password with Argon2, python-jose signs and verifies the access token (RS256),
SQLAlchemy stores the session, FastAPI authenticates before it parses a body.
"""

from tests.scenario import Scenario, code_of

ACCOUNT = {
    "email": "ada@university.edu",
    "password": "Quiet-lamps-1842",
    "first_name": "Ada",
    "last_name": "Lovelace",
}


def test_session_begins_with_registration_and_ends_with_logout(scenario: Scenario) -> None:
    scenario.call(None, "POST", "/auth/register", 201, json=ACCOUNT)
    login = {"email": ACCOUNT["email"], "password": ACCOUNT["password"]}
    first = scenario.call(None, "POST", "/auth/login", json=login).json()["data"]

    body = {"refresh_token": first["refresh_token"]}
    tokens = scenario.call(None, "POST", "/auth/refresh", json=body).json()["data"]
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    profile = scenario.call(None, "GET", "/auth/me", headers=headers).json()["data"]
    assert (profile["first_name"], profile["role"]) == ("Ada", "STUDENT")

    scenario.call(None, "POST", "/auth/logout", headers=headers)
    refused = scenario.call(None, "GET", "/auth/me", 401, headers=headers)
    assert code_of(refused) == "TOKEN_REVOKED"
