"""A client of the running LUNA's public address, signed in as one user."""

import time
from typing import Any

import httpx

RESPONSE_TIMEOUT = 120.0  # seconds
RETRY_INTERVAL = 0.5
MAX_RETRIES = 5
UNAVAILABLE = {502, 503, 504}  # a service restarts


class ApiError(Exception):
    """The API returned an error; the message is that of the error."""


class ApiClient:
    """Requests with the access token of a user."""

    def __init__(self, address: str, email: str, password: str) -> None:
        self._client = httpx.Client(base_url=f"{address}/api/v1", timeout=RESPONSE_TIMEOUT)
        tokens = self.request("POST", "/auth/login", json={"email": email, "password": password})
        self.token = str(tokens["access_token"])
        self._client.headers["Authorization"] = f"Bearer {self.token}"

    def close(self) -> None:
        self._client.close()

    def request(self, method: str, path: str, **more: Any) -> Any:
        """Send a request and return the `data` of the response; see `body`."""
        return self.body(method, path, **more)["data"]

    def body(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """Send a request and return the body, or raise ApiError; retry while a service restarts."""
        response = self._client.request(method, path, **more)
        for _ in range(MAX_RETRIES):
            if response.status_code not in UNAVAILABLE or "files" in more:  # an upload is sent once
                break
            time.sleep(RETRY_INTERVAL)
            response = self._client.request(method, path, **more)
        body: dict[str, Any] = response.json()
        if not body["success"]:
            error = body["error"]
            details = error.get("details") or ""
            raise ApiError(f"{method} {path}: {error['code']} {error['message']} {details}")
        return body
