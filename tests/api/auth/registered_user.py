"""A user registered through the API, with tokens."""

from dataclasses import dataclass, replace
from typing import Any

PASSWORD = "Quiet-lamps-1842"
REGISTER = "/api/v1/auth/register"
LOGIN = "/api/v1/auth/login"
REFRESH = "/api/v1/auth/refresh"
LOGOUT = "/api/v1/auth/logout"
ME = "/api/v1/auth/me"


def form(email: str = "ada@university.edu", **changes: Any) -> dict[str, Any]:
    """Return a valid registration body."""
    return {
        "email": email,
        "password": PASSWORD,
        "first_name": "Ada",
        "last_name": "Lovelace",
        **changes,
    }


@dataclass(frozen=True)
class RegisteredUser:
    id: str
    email: str
    access_token: str
    refresh_token: str

    @classmethod
    def register(cls, api: Any, email: str) -> "RegisteredUser":
        response = api.post(REGISTER, json=form(email))
        assert response.status_code == 201, response.text
        data = response.json()["data"]
        return cls(data["user"]["id"], email, data["access_token"], data["refresh_token"])

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}

    def log_in_again(self, api: Any) -> "RegisteredUser":
        """Log in on another device."""
        data = api.post(LOGIN, json={"email": self.email, "password": PASSWORD}).json()["data"]
        return replace(self, access_token=data["access_token"], refresh_token=data["refresh_token"])


def code(response: Any) -> tuple[int, str]:
    """Return status and error code of an error response, and check its envelope."""
    body = response.json()
    assert body["success"] is False
    assert body["meta"]["request_id"] == response.headers["x-request-id"]
    return response.status_code, body["error"]["code"]


def field_errors(response: Any) -> dict[str, list[str]]:
    assert code(response) == (422, "VALIDATION_ERROR")
    fields: dict[str, list[str]] = response.json()["error"]["details"]["fields"]
    return fields
