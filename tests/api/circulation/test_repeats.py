"""Every write at the desk can be repeated under its Idempotency-Key."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests import event_runner
from tests.api.circulation.desk_client import Desk
from tests.factories import users

Call = tuple[str, str, dict[str, Any] | None]  # method, path, body


def _loan(action: str) -> Callable[[Desk], Call]:
    return lambda desk: ("PUT", f"/loans/{desk.check_out()['id']}/{action}", None)


def _found(desk: Desk) -> Call:
    loan = desk.check_out()["id"]
    desk.act(desk.librarian, f"loans/{loan}", "lost")
    return "PUT", f"/loans/{loan}/found", None


def _renew(desk: Desk) -> Call:
    loan = desk.check_out()["id"]
    event_runner.advance_clock(timedelta(days=10))
    desk.librarian = users.librarian()  # whose token has not expired
    return "PUT", f"/loans/{loan}/renew", {}


def _renew_all(desk: Desk) -> Call:
    _renew(desk)
    return "PUT", "/loans/renew-all", {"user_id": str(desk.member.id)}


def _check_in(desk: Desk) -> Call:
    desk.check_out()
    return "POST", "/loans/check-in", {"copy_barcode": desk.barcode()}


def _place_hold(desk: Desk) -> Call:
    desk.check_out()
    body = {"book_id": str(desk.book), "user_id": str(users.student().id)}
    return "POST", "/holds", body


def _queued(desk: Desk) -> str:
    desk.check_out()
    return f"/holds/{desk.place_hold(users.student())['id']}"


def _shelve(desk: Desk) -> Call:
    copies = f"/books/{desk.book}/copies"
    copy = desk.call(desk.librarian, "GET", copies)[0]
    desk.call(desk.librarian, "PUT", f"{copies}/{copy['id']}", json={"condition": "MISSING"})
    return "PUT", f"{copies}/{copy['id']}/shelve", {"shelf_location": "B-2"}


def _take_stock(desk: Desk) -> Call:
    return "POST", "/copies/stock-take", {"shelf_location": "Z", "barcodes": [desk.barcode()]}


WRITES: dict[str, Callable[[Desk], Call]] = {
    "check in": _check_in,
    "return": _loan("return"),
    "lost": _loan("lost"),
    "claimed returned": _loan("claimed-returned"),
    "found": _found,
    "renew": _renew,
    "renew all": _renew_all,
    "place a hold": _place_hold,
    "suspend": lambda desk: ("PUT", f"{_queued(desk)}/suspend", {"until": "2099-01-01T00:00:00Z"}),
    "cancel a hold": lambda desk: ("DELETE", _queued(desk), None),
    "shelve": _shelve,
    "take stock": _take_stock,
}


@pytest.mark.parametrize("name", WRITES)
def test_write_at_the_desk_is_done_once_under_a_key(desk: Desk, name: str) -> None:
    """The answer is given again even when the ETag of its If-Match has passed."""
    method, path, body = WRITES[name](desk)
    headers = {**desk.librarian.headers, "Idempotency-Key": f"scan of {name}"}
    read = path.rpartition("/")[0] if method == "PUT" else path
    tag = desk.api.get(f"/api/v1{read}", headers=desk.librarian.headers).headers.get("ETag")
    if tag is not None and method != "POST":
        headers["If-Match"] = tag
    options = {"headers": headers, **({"json": body} if body is not None else {})}
    first, second = (desk.api.request(method, f"/api/v1{path}", **options) for _ in range(2))
    assert first.status_code in {200, 201}, first.text
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers.get("ETag") == first.headers.get("ETag")
    other = desk.api.request(method, f"/api/v1{path}", headers=headers, json={"user_id": "other"})
    assert other.json()["error"]["code"] in {"IDEMPOTENCY_KEY_REUSED", "VALIDATION_ERROR"}


def test_key_of_one_loan_is_refused_for_another(desk: Desk) -> None:
    first, second = desk.check_out(), Desk(desk.api).check_out()
    key = {"Idempotency-Key": "one-scan"}
    desk.call(desk.librarian, "PUT", f"/loans/{first['id']}/lost", headers=key)
    error = desk.call(desk.librarian, "PUT", f"/loans/{second['id']}/lost", 409, headers=key)
    assert error["code"] == "IDEMPOTENCY_KEY_REUSED"
