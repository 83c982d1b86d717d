"""Someone who registers through the API and keeps their tokens."""

from dataclasses import dataclass, replace
from typing import Any

PASSWORD = "Quiet-lamps-1842"
REGISTER = "/api/v1/auth/register"
LOGIN = "/api/v1/auth/login"
REFRESH = "/api/v1/auth/refresh"
LOGOUT = "/api/v1/auth/logout"
ME = "/api/v1/auth/me"


def form(email: str = "ada@university.edu", **changes: Any) -> dict[str, Any]:
    """A complete form to register with."""
    return {
        "email": email,
        "password": PASSWORD,
        "first_name": "Ada",
        "last_name": "Lovelace",
        **changes,
    }


@dataclass(frozen=True)
class Newcomer:
    id: str
    email: str
    access_token: str
    refresh_token: str

    @classmethod
    def of(cls, api: Any, email: str) -> "Newcomer":
        answered = api.post(REGISTER, json=form(email))
        assert answered.status_code == 201, answered.text
        data = answered.json()["data"]
        return cls(data["user"]["id"], email, data["access_token"], data["refresh_token"])

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}

    def signed_in_again(self, api: Any) -> "Newcomer":
        """The same person on another device."""
        data = api.post(LOGIN, json={"email": self.email, "password": PASSWORD}).json()["data"]
        return replace(self, access_token=data["access_token"], refresh_token=data["refresh_token"])


def code(answered: Any) -> tuple[int, str]:
    """Status and error code of a refusal, in the envelope."""
    body = answered.json()
    assert body["success"] is False
    assert body["meta"]["request_id"] == answered.headers["x-request-id"]
    return answered.status_code, body["error"]["code"]


def complaints(answered: Any) -> dict[str, list[str]]:
    assert code(answered) == (422, "VALIDATION_ERROR")
    fields: dict[str, list[str]] = answered.json()["error"]["details"]["fields"]
    return fields
