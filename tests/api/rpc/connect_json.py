"""A caller of RPCs by Connect's JSON, as curl or a browser would be."""

from dataclasses import dataclass
from typing import Any

LIBRARY = "luna.v1.LibraryService"
USERS = "luna.v1.UserService"


@dataclass(frozen=True)
class Answered:
    """The answer to one call: a message, or the code and details of an error."""

    status: int
    body: dict[str, Any]

    @property
    def code(self) -> str | None:
        return self.body.get("code") if self.status >= 400 else None

    def details(self, name: str) -> dict[str, Any]:
        """Return the decoded details of one type, or {}."""
        for each in self.body.get("details", []):
            if each["type"] == f"google.rpc.{name}":
                found: dict[str, Any] = each.get("debug", {})
                return found
        return {}


def call(api: Any, method: str, body: Any, headers: dict[str, str] | None = None) -> Answered:
    """Call `luna.v1.Service/Method`; a text is sent as it is."""
    content = {"content": body} if isinstance(body, str | bytes) else {"json": body}
    sent = {"Content-Type": "application/json", **(headers or {})}
    response = api.post(f"/{method}", headers=sent, **content)
    return Answered(response.status_code, response.json())
