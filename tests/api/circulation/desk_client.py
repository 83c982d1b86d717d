"""A client of the desk: loans and holds of members."""

from typing import Any

from backend.shared.infra import database
from tests.factories import catalogue, users
from tests.factories.users import SignedInUser


class Desk:
    """One librarian at the desk, one title and its barcodes."""

    def __init__(self, api: Any, copies: int = 1) -> None:
        self.api = api
        self.librarian = users.librarian()
        self.admin = users.admin()
        self.member = users.student()
        self.book = catalogue.add_book(copies=copies)

    def call(
        self, user: SignedInUser, method: str, path: str, expect: int = 200, **options: Any
    ) -> Any:
        """Send a request and return the data, or the error, of the response."""
        headers = {**user.headers, **options.pop("headers", {})}
        response = self.api.request(method, f"/api/v1{path}", headers=headers, **options)
        assert response.status_code == expect, response.text
        body = response.json()
        return body["data"] if body["success"] else body["error"]

    def barcode(self, number: int = 0) -> str:
        return f"{self.book.hex[-8:]}-{number}".upper()

    def check_out(
        self, member: SignedInUser | None = None, expect: int = 201, **changes: Any
    ) -> Any:
        body = {"user_id": str((member or self.member).id), **changes}
        if "book_id" not in body:
            body.setdefault("copy_barcode", self.barcode())
        return self.call(self.librarian, "POST", "/loans", expect, json=body)

    def check_in(self, number: int = 0, expect: int = 200, **changes: Any) -> Any:
        body = {"copy_barcode": self.barcode(number), **changes}
        return self.call(self.librarian, "POST", "/loans/check-in", expect, json=body)

    def place_hold(self, member: SignedInUser, expect: int = 201, **changes: Any) -> Any:
        body = {"book_id": str(self.book), **changes}
        return self.call(member, "POST", "/holds", expect, json=body)

    def hold(self, hold: dict[str, Any]) -> Any:
        return self.call(self.librarian, "GET", f"/holds/{hold['id']}")

    def loan(self, loan: dict[str, Any]) -> Any:
        return self.call(self.librarian, "GET", f"/loans/{loan['id']}")

    def act(
        self, user: SignedInUser, resource: str, action: str, expect: int = 200, **body: Any
    ) -> Any:
        """Apply an action to a loan or hold: `loans/{id}`, `renew`."""
        return self.call(user, "PUT", f"/{resource}/{action}", expect, json=body)

    def copy_state(self, number: int = 0) -> tuple[str, str]:
        """Return custody and condition of a copy."""
        with database.reading_engine().connect() as connection:
            row = connection.exec_driver_sql(
                "SELECT custody, condition FROM copies WHERE barcode = %s",
                (self.barcode(number),),
            ).one()
        return row.custody, row.condition


def codes(error: dict[str, Any]) -> list[str]:
    """Return the codes of all reasons of a refusal."""
    return [reason["code"] for reason in error["details"]["reasons"]]


def allowed(resource: dict[str, Any]) -> dict[str, bool]:
    """Return which actions a resource offers."""
    return {action["name"]: action["allowed"] for action in resource["actions"]}
