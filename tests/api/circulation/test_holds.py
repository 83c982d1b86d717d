"""Holds: position, promotion on every way a copy becomes free, suspension, expiry, robots."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.shared.domain import invariants
from backend.shared.infra import clock, database
from tests import event_runner
from tests.api.circulation.desk_client import Desk, allowed, codes
from tests.factories import users
from tests.scenario import start_scenario


def _check_invariants() -> None:
    with database.reading_engine().connect() as connection:
        assert invariants.find_violations(connection) == {}


def test_queue_shows_positions_and_serves_the_first(desk: Desk) -> None:
    loan = desk.check_out()
    first, second = users.student(), users.student()
    holds = [desk.place_hold(first), desk.place_hold(second)]
    assert [hold["position"] for hold in holds] == [1, 2]
    assert holds[0]["expected_at"] == loan["due_at"]
    assert holds[1]["expected_at"] > loan["due_at"]
    assert desk.call(first, "GET", "/holds")[0]["position"] == 1
    desk.call(first, "GET", f"/holds/{holds[1]['id']}", 404)
    availability = desk.call(first, "GET", f"/books/{desk.book}/availability")
    assert availability["holds_waiting"] == 2
    result = desk.check_in()
    assert result["destination"] == "HOLD_SHELF"
    assert result["kept_for"]["user_id"] == str(first.id)
    assert desk.copy_state() == ("ON_HOLD_SHELF", "OK")
    ready = desk.hold(holds[0])
    assert (ready["status"], ready["position"], ready["barcode"]) == (
        "READY",
        None,
        desk.barcode(),
    )
    assert desk.hold(holds[1])["position"] == 1
    assert codes(desk.check_out(second, 409)) == ["HELD_FOR_OTHER"]
    desk.check_out(first)
    assert desk.hold(holds[0])["status"] == "FULFILLED"
    _check_invariants()


def test_hold_is_refused_with_all_its_reasons(desk: Desk) -> None:
    refused = desk.place_hold(desk.member, 409)
    assert codes(refused) == ["COPY_AVAILABLE"]
    desk.check_out()
    refused = desk.place_hold(desk.member, 409)
    assert codes(refused) == ["ALREADY_BORROWED"]
    other = users.student()
    desk.place_hold(other)
    refused = desk.place_hold(other, 409)
    assert (refused["code"], codes(refused)) == ("HOLD_EXISTS", ["HOLD_EXISTS"])
    desk.place_hold(other, 403, user_id=str(desk.member.id))
    desk.place_hold(other, 404, book_id=str(desk.member.id))


def test_waiting_members_block_a_renewal(desk: Desk) -> None:
    loan = desk.check_out()
    desk.place_hold(users.student())
    assert not allowed(desk.loan(loan))["RENEW"]
    refused = desk.act(desk.member, f"loans/{loan['id']}", "renew", 409)
    assert codes(refused) == ["OTHERS_WAITING", "TOO_EARLY"]


def test_suspended_hold_is_passed_over_and_keeps_its_place(desk: Desk) -> None:
    desk.check_out()
    first, second = users.student(), users.student()
    holds = [desk.place_hold(first), desk.place_hold(second)]
    until = clock.iso(clock.now() + timedelta(hours=1))
    path = f"holds/{holds[0]['id']}"
    suspended = desk.act(first, path, "suspend", until=until)
    assert (suspended["position"], suspended["suspended_until"] is not None) == (1, True)
    desk.check_in()
    assert desk.hold(holds[1])["status"] == "READY"
    desk.call(second, "DELETE", f"/holds/{holds[1]['id']}")
    assert desk.copy_state() == ("ON_SHELF", "OK")  # nobody else waits
    resumed = desk.act(first, path, "suspend", until=None)
    assert (resumed["status"], desk.copy_state()[0]) == ("READY", "ON_HOLD_SHELF")
    assert codes(desk.act(first, path, "suspend", 409, until=None)) == ["HOLD_READY"]
    _check_invariants()


def test_suspension_ends_with_its_time(desk: Desk) -> None:
    desk.check_out()
    hold = desk.place_hold(users.student())
    until = clock.iso(clock.now() + timedelta(minutes=5))
    desk.act(desk.librarian, f"holds/{hold['id']}", "suspend", until=until)
    desk.check_in()
    assert desk.copy_state() == ("ON_SHELF", "OK")
    event_runner.advance_clock(timedelta(minutes=6))
    event_runner.run_periodic("catalog.serve_holds")
    assert desk.hold(hold)["status"] == "READY"


def test_unfetched_copy_goes_to_the_next(desk: Desk) -> None:
    desk.check_out()
    holds = [desk.place_hold(users.student()) for _ in range(2)]
    desk.check_in()
    event_runner.advance_clock(timedelta(days=8))
    desk.librarian = users.librarian()
    event_runner.run_periodic("catalog.serve_holds")
    assert [desk.hold(hold)["status"] for hold in holds] == ["EXPIRED", "READY"]
    assert "circulation.hold.expired" in event_runner.run_events()
    _check_invariants()


def _cancel(desk: Desk, hold: Any) -> None:
    desk.call(desk.librarian, "DELETE", f"/holds/{hold['id']}")
    desk.call(desk.librarian, "DELETE", f"/holds/{hold['id']}")  # a repeat changes nothing


def _return(desk: Desk, _hold: Any) -> None:
    desk.check_in()


def _find(desk: Desk, _hold: Any) -> None:
    loan = desk.call(desk.librarian, "GET", "/loans")[0]
    desk.act(desk.librarian, f"loans/{loan['id']}", "lost")
    desk.act(desk.librarian, f"loans/{loan['id']}", "found")


def _add_copy(desk: Desk, _hold: Any) -> None:
    desk.call(desk.librarian, "POST", f"/books/{desk.book}/copies", 201, json={})


def _repair(desk: Desk, _hold: Any) -> None:
    desk.check_in(condition="DAMAGED")
    path = f"/books/{desk.book}/copies"
    copy = desk.call(desk.librarian, "GET", path)[0]
    desk.call(desk.librarian, "PUT", f"{path}/{copy['id']}", json={"condition": "OK"})


@pytest.mark.parametrize("free", [_return, _find, _add_copy, _repair], ids=lambda way: way.__name__)
def test_every_way_a_copy_becomes_free_serves_the_queue(
    desk: Desk, free: Callable[[Desk, Any], None]
) -> None:
    desk.check_out()
    hold = desk.place_hold(users.student())
    next_hold = desk.place_hold(users.student())
    free(desk, hold)
    assert desk.hold(hold)["status"] == "READY"
    _check_invariants()
    _cancel(desk, hold)
    assert desk.hold(next_hold)["status"] == "READY"
    _check_invariants()


def test_damaged_copy_on_the_hold_shelf_puts_its_hold_back(desk: Desk) -> None:
    desk.check_out()
    hold = desk.place_hold(users.student())
    desk.check_in()
    path = f"/books/{desk.book}/copies"
    copy = desk.call(desk.librarian, "GET", path)[0]
    desk.call(desk.librarian, "PUT", f"{path}/{copy['id']}", json={"condition": "DAMAGED"})
    back = desk.hold(hold)
    assert (back["status"], back["position"], back["copy_id"]) == ("QUEUED", 1, None)
    assert desk.copy_state() == ("ON_SHELF", "DAMAGED")
    _check_invariants()


def test_robot_brings_the_copy_that_is_kept(api: Any) -> None:
    scenario = start_scenario(api)
    body = {"user_id": str(users.student().id), "book_id": str(scenario.book)}
    loan = scenario.call(scenario.librarian, "POST", "/loans", 201, json=body).json()["data"]
    hold_body = {"book_id": str(scenario.book)}
    hold = scenario.call(scenario.student, "POST", "/holds", 201, json=hold_body).json()["data"]
    scenario.call(scenario.librarian, "PUT", f"/loans/{loan['id']}/return", 200, json={})
    path = f"/holds/{hold['id']}"
    assert scenario.get(scenario.student, path)["status"] == "READY"
    scenario.request_delivery()
    assert scenario.custody() == "RESERVED"
    refused = scenario.call(scenario.student, "DELETE", path, 409).json()["error"]
    assert codes(refused) == ["ON_THE_WAY"]
    scenario.as_student("cancel")
    assert scenario.custody() == "ON_HOLD_SHELF"
    assert scenario.get(scenario.student, path)["status"] == "READY"
    _check_invariants()
    scenario.until_on_loan()
    assert scenario.get(scenario.student, path)["status"] == "FULFILLED"
    _check_invariants()


def test_copy_that_is_kept_while_its_request_waits_is_brought(api: Any, owner: Engine) -> None:
    """The request waits for the hold, which a check-in has locked."""
    scenario = start_scenario(api)
    body = {"user_id": str(users.student().id), "book_id": str(scenario.book)}
    scenario.call(scenario.librarian, "POST", "/loans", 201, json=body)
    hold = {"book_id": str(scenario.book)}
    scenario.call(scenario.student, "POST", "/holds", 201, json=hold)
    with owner.begin() as check_in, ThreadPoolExecutor(1) as pool:
        check_in.execute(text("SELECT FROM holds FOR UPDATE"))
        request = pool.submit(scenario.request_delivery)
        event_runner.wait_until(lambda: request.done() or event_runner.is_waiting(owner))
        check_in.execute(text("UPDATE loans SET returned_at = now(), state = 'RETURNED'"))
        check_in.execute(text("UPDATE copies SET custody = 'ON_HOLD_SHELF'"))
        keep = "UPDATE holds SET status = 'READY', copy_id = (SELECT id FROM copies)"
        check_in.execute(text(f"{keep}, ready_at = now(), ready_until = now() + interval '1 day'"))
        check_in.commit()
        request.result()
    assert scenario.custody() == "RESERVED"
    _check_invariants()


def test_book_says_what_the_caller_can_do(desk: Desk) -> None:
    path = f"/books/{desk.book}"
    assert desk.call(desk.member, "GET", path)["actions"] is None

    def actions(user: users.SignedInUser) -> dict[str, bool]:
        return allowed(desk.call(user, "GET", path, params={"actions": True}))

    assert actions(desk.member) == {"REQUEST": True, "PLACE_HOLD": False}
    desk.check_out()
    other = users.student()
    assert actions(desk.member) == {"REQUEST": False, "PLACE_HOLD": False}
    assert actions(other) == {"REQUEST": False, "PLACE_HOLD": True}
    desk.place_hold(other)
    assert actions(other) == {"REQUEST": False, "PLACE_HOLD": False}
    desk.check_in()
    assert actions(other) == {"REQUEST": True, "PLACE_HOLD": False}
