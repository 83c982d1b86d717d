"""Check-in at the desk, lost copies and claims, renewals, policies and the calendar."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.shared.infra import clock
from tests import event_runner
from tests.api.circulation.desk_client import Desk, allowed, codes
from tests.factories import users
from tests.scenario import start_scenario


def test_returned_copy_goes_to_its_shelf(desk: Desk) -> None:
    loan = desk.check_out()
    result = desk.check_in()
    assert (result["destination"], result["kept_for"]) == ("SHELF", None)
    assert result["loan"]["id"] == loan["id"]
    assert (result["loan"]["state"], result["loan"]["overdue"]) == ("RETURNED", False)
    assert result["loan"]["processed_at"] == result["loan"]["returned_at"]
    assert desk.copy_state() == ("ON_SHELF", "OK")
    assert desk.check_in()["loan"] is None  # a second scan changes nothing
    unknown = desk.call(
        desk.librarian, "POST", "/loans/check-in", 404, json={"copy_barcode": "NOTHING"}
    )
    assert "NOTHING" in unknown["message"]


def test_damaged_copy_goes_to_repair(desk: Desk) -> None:
    desk.check_out()
    assert desk.check_in(condition="DAMAGED")["destination"] == "REPAIR"
    assert desk.copy_state() == ("ON_SHELF", "DAMAGED")


def test_loan_is_taken_back_by_id_and_repeated(desk: Desk) -> None:
    loan = desk.check_out()
    path = f"loans/{loan['id']}"
    closed = desk.act(desk.librarian, path, "return")
    assert desk.act(desk.librarian, path, "return") == closed
    assert closed["state"] == "RETURNED"
    stale = {"If-Match": '"1"'}
    desk.call(desk.librarian, "PUT", f"/{path}/return", 412, json={}, headers=stale)


@pytest.mark.parametrize(
    ("action", "state", "condition"),
    [("lost", "LOST", "LOST"), ("claimed-returned", "CLAIMED_RETURNED", "MISSING")],
)
def test_missing_copy_is_found_again(desk: Desk, action: str, state: str, condition: str) -> None:
    loan = desk.check_out()
    path = f"loans/{loan['id']}"
    assert codes(desk.act(desk.librarian, path, "found", 409)) == ["LOAN_NOT_CLAIMED"]
    changed = desk.act(desk.librarian, path, action)
    assert (changed["state"], changed["returned_at"]) == (state, None)
    assert desk.copy_state() == ("ON_LOAN", condition)
    assert allowed(changed)["MARK_FOUND"]
    assert not allowed(changed)["RENEW"]
    assert desk.act(desk.librarian, path, action) == changed
    found = desk.act(desk.librarian, path, "found")
    assert found["state"] == "RETURNED"
    assert desk.copy_state() == ("ON_SHELF", "OK")
    assert codes(desk.act(desk.librarian, path, action, 409)) == ["LOAN_CLOSED"]


def test_pickup_by_robot_is_cancelled_when_the_book_is_at_the_desk(api: Any) -> None:
    scenario = start_scenario(api).until_on_loan()
    scenario.request_return()
    scenario.run_events()
    barcode = f"{scenario.book.hex[-8:]}-0".upper()
    body = {"copy_barcode": barcode}
    scenario.call(scenario.librarian, "POST", "/loans/check-in", 200, json=body)
    assert scenario.current_request["status"] == "CANCELLED"
    assert (scenario.state, scenario.custody()) == ("CANCELLED", "ON_SHELF")


def test_renewal_moves_the_due_date_up_to_the_limit(desk: Desk) -> None:
    loan = desk.check_out()
    path = f"loans/{loan['id']}"
    assert codes(desk.act(desk.member, path, "renew", 409)) == ["TOO_EARLY"]
    for renewals in (1, 2):
        event_runner.advance_clock(timedelta(days=10))
        desk.librarian = users.librarian()
        renewed = desk.act(desk.librarian, path, "renew")
        assert renewed["renewals"] == renewals
        assert renewed["due_at"] > loan["due_at"]
        loan = renewed
    event_runner.advance_clock(timedelta(days=10))
    desk.librarian = users.librarian()
    refused = desk.act(desk.librarian, path, "renew", 409)
    assert (refused["code"], codes(refused)) == ("RENEWAL_LIMIT_REACHED", ["MAX_RENEWALS"])
    override = {"codes": ["MAX_RENEWALS"], "note": "exam"}
    assert desk.act(desk.librarian, path, "renew", override=override)["renewals"] == 3
    desk.act(desk.member, path, "renew", 401)  # its token has expired
    desk.act(users.student(), path, "renew", 404)


def test_renewing_all_tells_the_outcome_of_each(api: Any) -> None:
    desk = Desk(api, copies=2)
    first = desk.check_out(copy_barcode=desk.barcode(0))
    event_runner.advance_clock(timedelta(days=5))
    desk.librarian = users.librarian()
    desk.check_out(copy_barcode=desk.barcode(1))
    body = {"user_id": str(desk.member.id)}
    results = desk.call(desk.librarian, "PUT", "/loans/renew-all", json=body)["results"]
    assert [(each["loan"]["id"] == first["id"], each["renewed"]) for each in results] == [
        (True, True),
        (False, False),
    ]
    assert results[1]["reasons"][0]["code"] == "TOO_EARLY"
    summary = desk.call(
        desk.librarian, "GET", "/loans/summary", params={"user_id": str(desk.member.id)}
    )
    assert (summary["open"], summary["overdue"], summary["remaining"]) == (2, 0, 18)


def test_due_date_skips_closed_days(desk: Desk) -> None:
    calendar: dict[str, Any] = {
        "weekly": [{"weekday": 2, "opens": "08:00", "closes": "12:00"}],
        "dates": [],
    }
    desk.call(desk.librarian, "PUT", "/loans/calendar", 403, json=calendar)
    desk.call(desk.admin, "PUT", "/loans/calendar", json=calendar)
    due = datetime.fromisoformat(desk.check_out()["due_at"]).date()
    assert due.weekday() == 2
    desk.check_in()
    calendar["dates"] = [{"day": due.isoformat(), "note": "holiday"}]
    desk.call(desk.admin, "PUT", "/loans/calendar", json=calendar)
    later = datetime.fromisoformat(desk.check_out()["due_at"]).date()
    assert later == due + timedelta(days=7)
    never = {"weekly": [{"weekday": 0}], "dates": []}
    refused = desk.call(desk.admin, "PUT", "/loans/calendar", 422, json=never)
    assert "weekly" in refused["details"]["fields"]
    assert desk.call(desk.librarian, "GET", "/loans/calendar")["dates"][0]["note"] == "holiday"


def test_policy_of_role_and_kind_decides(api: Any) -> None:
    desk = Desk(api, copies=2)
    policies = desk.call(desk.librarian, "GET", "/loans/policies")["policies"]
    assert len(policies) == 6
    for policy in policies:
        if policy["role"] == "STUDENT":
            policy["loan_days"] = 2 if policy["kind"] == "SHORT_LOAN" else 30
            policy["max_loans"] = 1
    desk.call(desk.admin, "PUT", "/loans/policies", json={"policies": policies})
    copies = f"/books/{desk.book}/copies"
    for copy in desk.call(desk.librarian, "GET", copies):
        path = f"{copies}/{copy['id']}"
        desk.call(desk.librarian, "PUT", path, json={"kind": "SHORT_LOAN"})
    due = datetime.fromisoformat(desk.check_out()["due_at"]).date()
    assert due - clock.now().date() <= timedelta(days=4)
    refused = desk.check_out(expect=409, copy_barcode=desk.barcode(1))
    assert (refused["code"], codes(refused)) == ("LOAN_LIMIT_REACHED", ["LIMIT_LOANS"])
