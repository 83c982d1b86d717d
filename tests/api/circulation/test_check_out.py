"""Check-out at the desk: due dates, every reason at once, overrides, dry run, repeats."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from backend.shared.infra import config
from tests import event_runner
from tests.api.circulation.desk_client import Desk, allowed, codes
from tests.factories import catalogue, users


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a member borrow two copies, and nothing while one is overdue."""
    monkeypatch.setenv("LUNA_LOANS_PER_MEMBER", "2")
    monkeypatch.setenv("LUNA_OVERDUE_PER_MEMBER", "1")
    config.loans.cache_clear()
    yield
    monkeypatch.undo()
    config.loans.cache_clear()


def test_scanned_copy_is_lent_until_an_open_day(desk: Desk) -> None:
    loan = desk.check_out()
    due = datetime.fromisoformat(loan["due_at"])
    assert due.weekday() != 6
    assert timedelta(days=27) < due - datetime.fromisoformat(loan["borrowed_at"])
    assert (loan["state"], loan["channel"], loan["barcode"]) == ("ACTIVE", "DESK", desk.barcode())
    assert desk.copy_state() == ("ON_LOAN", "OK")
    shown = desk.call(desk.member, "GET", f"/loans/{loan['id']}")
    assert shown["id"] == loan["id"]
    assert allowed(shown)["CHECK_IN"]


def test_copy_on_loan_is_not_lent_again(desk: Desk) -> None:
    desk.check_out()
    refused = desk.check_out(users.student(), 409)
    assert (refused["code"], codes(refused)) == ("BOOK_NOT_AVAILABLE", ["COPY_ON_LOAN"])
    refused = desk.check_out(users.student(), 409, book_id=str(desk.book))
    assert codes(refused) == ["NO_COPY_AVAILABLE"]
    assert desk.check_out(users.student(), 404, copy_barcode="NOTHING")["code"] == "NOT_FOUND"
    assert desk.check_out(users.student(), 404, book_id=str(uuid4()))["code"] == "NOT_FOUND"


def test_body_names_a_member_and_one_copy(desk: Desk) -> None:
    both: dict[str, Any] = {"book_id": str(desk.book), "copy_barcode": desk.barcode()}
    assert desk.check_out(expect=422, **both)["code"] == "VALIDATION_ERROR"
    unknown = {"user_id": str(uuid4()), "copy_barcode": desk.barcode()}
    error = desk.call(desk.librarian, "POST", "/loans", 422, json=unknown)
    assert error["details"]["fields"] == {"user_id": ["is not a member"]}


@pytest.mark.usefixtures("limits")
def test_refusal_lists_all_reasons_and_staff_override_some(api: Any) -> None:
    desk = Desk(api, copies=4)
    for number in range(2):
        desk.check_out(copy_barcode=desk.barcode(number))
    event_runner.advance_clock(timedelta(days=60))
    desk.librarian = users.librarian()  # earlier tokens have expired
    path = f"/books/{desk.book}/copies"
    copies = desk.call(desk.librarian, "GET", path)
    wanted = next(copy for copy in copies if copy["barcode"] == desk.barcode(2))
    desk.call(desk.librarian, "PUT", f"{path}/{wanted['id']}", json={"condition": "REFERENCE_ONLY"})
    refused = desk.check_out(expect=409, copy_barcode=desk.barcode(2))
    assert set(codes(refused)) == {"NOT_LOANABLE", "LIMIT_LOANS", "LIMIT_OVERDUE"}
    note = {"note": "exam week"}
    some = {"codes": ["LIMIT_LOANS", "NOT_LOANABLE"], **note}
    refused = desk.check_out(expect=409, copy_barcode=desk.barcode(2), override=some)
    assert codes(refused) == ["LIMIT_OVERDUE"]
    every = {"codes": [*some["codes"], "LIMIT_OVERDUE"], **note}
    desk.check_out(copy_barcode=desk.barcode(2), override=every)
    audit = desk.call(users.admin(), "GET", "/auth/audit-logs?action=loan.check_out")
    assert audit[0]["changes"]["note"] == "exam week"
    assert set(audit[0]["changes"]["overridden"]) == set(every["codes"])


def test_a_copy_on_loan_cannot_be_overridden(desk: Desk) -> None:
    desk.check_out()
    override = {"codes": ["COPY_ON_LOAN"], "note": "please"}
    refused = desk.check_out(users.student(), 409, override=override)
    assert codes(refused) == ["COPY_ON_LOAN"]


def test_dry_run_answers_and_changes_nothing(desk: Desk) -> None:
    preview = desk.check_out(expect=200, dry_run=True)
    assert (preview["allowed"], preview["reasons"]) == (True, [])
    assert preview["due_at"]
    assert desk.copy_state() == ("ON_SHELF", "OK")
    desk.check_out()
    preview = desk.check_out(users.student(), 200, dry_run=True)
    assert not preview["allowed"]
    assert [each["code"] for each in preview["reasons"]] == ["COPY_ON_LOAN"]


def test_repeated_check_out_with_one_key_is_one_loan(desk: Desk) -> None:
    body = {"user_id": str(desk.member.id), "copy_barcode": desk.barcode()}
    key = {"Idempotency-Key": "scan-1"}
    first = desk.call(desk.librarian, "POST", "/loans", 201, json=body, headers=key)
    assert desk.call(desk.librarian, "POST", "/loans", 201, json=body, headers=key) == first
    assert len(desk.call(desk.librarian, "GET", "/loans")) == 1


def test_fifty_at_once_for_one_copy_make_one_loan(desk: Desk) -> None:
    members = [users.student() for _ in range(50)]

    def borrow(member: users.SignedInUser) -> int:
        body = {"user_id": str(member.id), "copy_barcode": desk.barcode()}
        path = "/api/v1/loans"
        status: int = desk.api.post(path, json=body, headers=desk.librarian.headers).status_code
        return status

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(borrow, members))
    assert sorted(statuses) == [201] + [409] * 49


def test_twenty_at_once_at_a_limit_of_five_make_five_loans(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(api, copies=20)
    monkeypatch.setenv("LUNA_LOANS_PER_MEMBER", "5")
    config.loans.cache_clear()
    books = [catalogue.add_book(f"Title {n}") for n in range(20)]

    def borrow(book: Any) -> int:
        body = {"user_id": str(desk.member.id), "book_id": str(book)}
        path = "/api/v1/loans"
        status: int = desk.api.post(path, json=body, headers=desk.librarian.headers).status_code
        return status

    try:
        with ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(borrow, books))
    finally:
        monkeypatch.undo()
        config.loans.cache_clear()
    assert sorted(statuses) == [201] * 5 + [409] * 15
