"""The scanner's answer, stock-taking and the lists for staff."""

from datetime import timedelta
from typing import Any

import pytest

from tests import event_runner
from tests.api.circulation.desk_client import Desk, allowed
from tests.factories import users


def _scan(desk: Desk, number: int = 0) -> Any:
    return desk.call(desk.librarian, "GET", f"/copies/{desk.barcode(number).lower()}")


def test_scan_says_what_the_copy_is_and_what_can_be_done(desk: Desk) -> None:
    scanned = _scan(desk)
    assert (scanned["copy"]["barcode"], scanned["loan"]) == (desk.barcode(), None)
    assert allowed(scanned) == {
        "CHECK_OUT": True,
        "CHECK_IN": False,
        "SHELVE": False,
        "WITHDRAW": True,
    }
    loan = desk.check_out()
    scanned = _scan(desk)
    assert scanned["loan"]["id"] == loan["id"]
    assert scanned["member"]["id"] == str(desk.member.id)
    assert allowed(scanned) == {
        "CHECK_OUT": False,
        "CHECK_IN": True,
        "SHELVE": False,
        "WITHDRAW": False,
    }
    reasons = {action["name"]: action["reasons"] for action in scanned["actions"]}
    assert [each["code"] for each in reasons["CHECK_OUT"]] == ["COPY_ON_LOAN"]
    waiting = users.student()
    desk.place_hold(waiting)
    desk.check_in()
    assert _scan(desk)["kept_for"]["user_id"] == str(waiting.id)
    desk.call(desk.librarian, "GET", "/copies/NOTHING", 404)


def test_stock_take_names_what_is_not_in_its_place(api: Any) -> None:
    desk = Desk(api, copies=5)
    path = f"/books/{desk.book}/copies"
    copies = {each["barcode"]: each for each in desk.call(desk.librarian, "GET", path)}

    def update(number: int, **changes: Any) -> None:
        copy = copies[desk.barcode(number)]
        desk.call(desk.librarian, "PUT", f"{path}/{copy['id']}", json=changes)

    for number in range(4):
        update(number, shelf_location="A-1")
    update(4, shelf_location="B-2")
    update(1, condition="MISSING")
    desk.check_out(copy_barcode=desk.barcode(3))
    seen = [desk.barcode(number) for number in (0, 1, 3, 4)]
    body = {"shelf_location": "A-1", "barcodes": [*seen, "STRANGE"]}
    result = desk.call(desk.librarian, "POST", "/copies/stock-take", json=body)
    assert result["in_place"] == 1
    assert {each["barcode"]: each["finding"] for each in result["items"]} == {
        desk.barcode(1): "FOUND_AGAIN",
        desk.barcode(2): "MISSING_CANDIDATE",
        desk.barcode(3): "ON_LOAN",
        desk.barcode(4): "MISPLACED",
        "STRANGE": "UNKNOWN",
    }
    assert desk.copy_state(1) == ("ON_SHELF", "OK")


def test_lists_for_staff_as_pages_and_csv(api: Any) -> None:
    desk = Desk(api, copies=2)
    desk.check_out(copy_barcode=desk.barcode(0))
    path = f"/books/{desk.book}/copies"
    copies = desk.call(desk.librarian, "GET", path)
    other = next(each for each in copies if each["barcode"] == desk.barcode(1))
    desk.call(desk.librarian, "PUT", f"{path}/{other['id']}", json={"condition": "MISSING"})
    desk.place_hold(users.student())
    event_runner.advance_clock(timedelta(days=400))
    desk.librarian = users.librarian()

    def rows(name: str) -> Any:
        return desk.call(desk.librarian, "GET", f"/loans/lists/{name}")

    assert [row["barcode"] for row in rows("overdue")] == [desk.barcode(0)]
    assert [row["barcode"] for row in rows("missing")] == [desk.barcode(1)]
    assert [row["barcode"] for row in rows("never-borrowed")] == [desk.barcode(1)]
    assert [(row["id"], row["waiting"]) for row in rows("high-demand")] == [(str(desk.book), 1)]
    assert rows("hold-shelf") == []
    desk.check_in()
    event_runner.advance_clock(timedelta(days=10))
    desk.librarian = users.librarian()
    assert [row["to_clear"] for row in rows("hold-shelf")] == [True]
    file = desk.api.get("/api/v1/loans/lists/missing?format=csv", headers=desk.librarian.headers)
    assert file.headers["content-type"].startswith("text/csv")
    assert desk.barcode(1) in file.text
    desk.call(desk.librarian, "GET", "/loans/lists/nothing", 422)


@pytest.mark.parametrize("name", ["overdue", "hold-shelf", "never-borrowed", "missing"])
def test_cursor_continues_each_list_for_staff_to_its_end(api: Any, name: str) -> None:
    desk = Desk(api, copies=6)
    path = f"/books/{desk.book}/copies"
    for copy in desk.call(desk.librarian, "GET", path):
        if copy["barcode"] in {desk.barcode(4), desk.barcode(5)}:
            desk.call(desk.librarian, "PUT", f"{path}/{copy['id']}", json={"condition": "MISSING"})
    for number in range(4):
        desk.check_out(copy_barcode=desk.barcode(number))
    for number in (0, 1):
        desk.place_hold(users.student())
        desk.check_in(number)
    event_runner.advance_clock(timedelta(days=400))
    desk.librarian = users.librarian()
    found: list[Any] = []
    cursor = ""
    while len(found) < 2:
        page = desk.api.get(
            f"/api/v1/loans/lists/{name}?limit=1{cursor}", headers=desk.librarian.headers
        ).json()
        found += page["data"]
        cursor = f"&cursor={page['pagination']['next_cursor']}"
    assert cursor == "&cursor=None"
    assert found == desk.call(desk.librarian, "GET", f"/loans/lists/{name}")
    desk.call(desk.librarian, "GET", f"/loans/lists/{name}?sort=title", 422)
