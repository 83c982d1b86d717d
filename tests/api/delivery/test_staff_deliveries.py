"""Deliveries of staff: where the copy is at each step, and how it gets back to a shelf."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.shared.domain import invariants
from backend.shared.infra import database
from tests import event_runner
from tests.scenario import Scenario, code_of, details_of


def _send(scenario: Scenario, kind: str = "transfer", expect: int = 201, **changes: Any) -> Any:
    """Create a staff delivery of the copy from the desk to a study room."""
    body = {"source_location": "WS-1", "destination_location": "SR-202", **changes}
    if "copy_barcode" not in changes:
        body["book_id"] = str(scenario.book)
    path = f"/deliveries/{kind}"
    made = scenario.call(scenario.librarian, "POST", path, expect, json=body)
    if expect == 201:
        scenario.task_id = made.json()["data"]["id"]
    return made


def _deliver(scenario: Scenario, kind: str = "transfer", **changes: Any) -> None:
    """Carry a staff delivery out, up to its receipt."""
    _send(scenario, kind, **changes)
    scenario.run_events()
    scenario.drive_robot()
    scenario.as_librarian("book-placed")
    scenario.drive_robot()
    scenario.as_librarian("complete")


def _copy(scenario: Scenario) -> Any:
    return scenario.get(scenario.librarian, f"/books/{scenario.book}/copies")[0]


def _on_copy(scenario: Scenario, method: str, action: str = "", expect: int = 200) -> Any:
    path = f"/books/{scenario.book}/copies/{_copy(scenario)['id']}{action}"
    return scenario.call(scenario.librarian, method, path, expect)


def _waypoint(scenario: Scenario, code: str) -> Any:
    listed = scenario.get(scenario.librarian, "/robot/waypoints?limit=100")
    return next(each for each in listed if each["location_code"] == code)


def _execute(owner: Engine, statement: str, **values: Any) -> Any:
    with owner.begin() as connection:
        found = connection.execute(text(statement), values)
        return found.all() if found.returns_rows else None


def _departed_eta(owner: Engine) -> datetime:
    statement = "SELECT payload->>'eta' FROM outbox WHERE event_type = 'delivery.task.departed'"
    return datetime.fromisoformat(_execute(owner, statement)[0][0])


@pytest.mark.parametrize("kind", ["inter-staff", "workstation", "transfer"])
def test_received_copy_waits_at_the_destination(scenario: Scenario, kind: str) -> None:
    _deliver(scenario, kind)
    copy = _copy(scenario)
    assert copy["custody"] == "AT_DESK"
    assert copy["waypoint_id"] == _waypoint(scenario, "SR-202")["id"]


def test_transfer_changes_the_shelf_only_when_asked_and_never_the_home(
    scenario: Scenario, owner: Engine
) -> None:
    home = _waypoint(scenario, "WS-1")["id"]
    _execute(owner, "UPDATE copies SET home_workstation_id = :home", home=home)
    _deliver(scenario, to_shelf="B-2")
    assert scenario.task["to_shelf"] == "B-2"
    copy = _copy(scenario)
    assert (copy["shelf_location"], copy["home_workstation_id"]) == ("B-2", home)


def test_to_shelf_is_for_transfers_only(scenario: Scenario) -> None:
    refused = _send(scenario, "workstation", 422, to_shelf="B-2")
    assert "to_shelf" in details_of(refused)["fields"]


def test_repeated_complete_of_an_old_transfer_moves_nothing(
    scenario: Scenario, owner: Engine
) -> None:
    _deliver(scenario, to_shelf="B-2")
    first = scenario.task_id
    _on_copy(scenario, "PUT", "/shelve")
    _execute(owner, "UPDATE copies SET shelf_location = 'C-3'")
    before = _copy(scenario)
    scenario.task_id = first
    assert scenario.as_librarian("complete").json()["data"]["status"] == "COMPLETED"
    assert _copy(scenario) == before


def test_copy_at_a_desk_is_shelved_and_the_repeat_changes_nothing(scenario: Scenario) -> None:
    _deliver(scenario)
    shelved = _on_copy(scenario, "PUT", "/shelve")
    copy = shelved.json()["data"]
    assert (copy["custody"], copy["waypoint_id"]) == ("ON_SHELF", None)
    repeated = _on_copy(scenario, "PUT", "/shelve")
    assert repeated.json()["data"] == copy
    assert repeated.headers["etag"] == shelved.headers["etag"]


def test_reserved_copy_is_not_shelved(scenario: Scenario) -> None:
    scenario.request_delivery()
    refused = _on_copy(scenario, "PUT", "/shelve", 409)
    assert code_of(refused) == "INVALID_STATE_TRANSITION"
    assert details_of(refused) == {"current": "RESERVED", "requested": "SHELVE", "allowed": []}


def test_missing_copy_is_found_by_shelving_it(scenario: Scenario) -> None:
    path = f"/books/{scenario.book}/copies/{_copy(scenario)['id']}"
    scenario.call(scenario.librarian, "PUT", path, json={"condition": "MISSING"})
    assert _on_copy(scenario, "PUT", "/shelve").json()["data"]["condition"] == "OK"


def test_copy_at_a_desk_is_withdrawn(scenario: Scenario) -> None:
    _deliver(scenario)
    _on_copy(scenario, "DELETE")
    assert _copy(scenario)["condition"] == "WITHDRAWN"
    scenario.call(scenario.librarian, "DELETE", f"/books/{scenario.book}")


def test_cancelled_delivery_from_a_desk_leaves_the_copy_there(scenario: Scenario) -> None:
    _deliver(scenario)
    at_desk = _copy(scenario)
    _send(scenario, copy_barcode=at_desk["barcode"], destination_location="SR-203")
    assert _copy(scenario)["custody"] == "RESERVED"
    scenario.as_librarian("cancel")
    copy = _copy(scenario)
    assert (copy["custody"], copy["waypoint_id"]) == ("AT_DESK", at_desk["waypoint_id"])


def test_book_brought_back_from_a_delivery_from_a_desk_waits_at_the_workstation(
    scenario: Scenario,
) -> None:
    _deliver(scenario)
    barcode = _copy(scenario)["barcode"]
    _send(scenario, copy_barcode=barcode, source_location="SR-202", destination_location="SR-203")
    scenario.run_events()
    scenario.drive_robot()
    scenario.as_librarian("book-placed")
    scenario.as_librarian("cancel")
    assert scenario.drive_robot()["payload"]["waypoint"]["name"] == "Circulation Desk"
    scenario.as_librarian("complete")
    copy = _copy(scenario)
    assert (copy["custody"], copy["waypoint_id"]) == ("AT_DESK", _waypoint(scenario, "WS-1")["id"])


def test_departure_carries_the_new_eta(scenario: Scenario, owner: Engine) -> None:
    scenario.until_loading()
    before = scenario.task["eta"]
    event_runner.advance_clock(timedelta(minutes=3))
    scenario.as_librarian("book-placed")
    assert before < scenario.task["eta"]
    _assert_equal_within_seconds(_departed_eta(owner), scenario.task["eta"])


def _assert_equal_within_seconds(published: datetime, shown: str) -> None:
    """Compare: what is shown moves with the clock."""
    assert abs(datetime.fromisoformat(shown) - published) < timedelta(seconds=20)


def test_staff_see_the_eta_move_with_the_robot(scenario: Scenario) -> None:
    scenario.until_departed()
    before = scenario.task["eta"]
    scenario.advance_seconds(60)
    event_runner.run_periodic("delivery.arrivals")  # each 5 s: a later time is said with its reason
    assert timedelta(seconds=55) < (
        datetime.fromisoformat(scenario.task["eta"]) - datetime.fromisoformat(before)
    )
    assert scenario.task["eta_reason"] == "SLOWER"


def test_pickup_renews_the_eta(scenario: Scenario, owner: Engine) -> None:
    scenario.until_on_loan()
    scenario.request_return()
    scenario.run_events()
    scenario.drive_robot()
    before = scenario.task["eta"]
    _execute(owner, "DELETE FROM outbox WHERE event_type = 'delivery.task.departed'")
    event_runner.advance_clock(timedelta(minutes=3))
    scenario.as_student("picked-up")
    assert before < scenario.task["eta"]
    _assert_equal_within_seconds(_departed_eta(owner), scenario.task["eta"])


def test_history_holds_every_place_of_a_copy(scenario: Scenario, owner: Engine) -> None:
    _deliver(scenario)
    _on_copy(scenario, "PUT", "/shelve")
    rows = _execute(
        owner,
        "SELECT from_custody, to_custody, place, task_id, changed_by FROM copy_history ORDER BY id",
    )
    assert [(row.from_custody, row.to_custody) for row in rows] == [
        ("ON_SHELF", "RESERVED"),
        ("RESERVED", "ON_ROBOT"),
        ("ON_ROBOT", "AT_DESK"),
        ("AT_DESK", "ON_SHELF"),
    ]
    assert [row.place for row in rows] == [None, None, "Study Room 202", None]
    assert {str(row.task_id) for row in rows[1:3]} == {scenario.task_id}
    assert {row.changed_by for row in rows} == {str(scenario.librarian.id)}


def test_kind_of_a_waypoint_that_a_task_or_copy_needs_is_fixed(
    scenario: Scenario, owner: Engine
) -> None:
    desk = _waypoint(scenario, "WS-1")
    body = {name: desk[name] for name in ("name", "location_code", "floor")}
    body |= {"x": 10.0, "y": 0.0, "kind": "DELIVERY_POINT"}
    scenario.request_delivery()
    path = f"/robot/waypoints/{desk['id']}"
    scenario.call(scenario.librarian, "PUT", path, 409, json=body)
    scenario.as_student("cancel")
    _execute(owner, "UPDATE copies SET home_workstation_id = :home", home=desk["id"])
    scenario.call(scenario.librarian, "PUT", path, 409, json=body)
    scenario.call(scenario.librarian, "DELETE", path, 409)
    _execute(owner, "UPDATE copies SET home_workstation_id = NULL")
    scenario.call(scenario.librarian, "PUT", path, json=body)


@pytest.mark.parametrize(
    "fault",
    [
        "UPDATE copies SET custody = 'ON_SHELF', waypoint_id = NULL",
        "UPDATE copies SET condition = 'DAMAGED'",
        "UPDATE copies SET home_workstation_id = (SELECT id FROM waypoints WHERE kind = 'DOCK')",
        "UPDATE waypoints SET is_active = false WHERE location_code = 'SR-202'",
        "UPDATE copies SET custody = 'ON_ROBOT'",
    ],
    ids=["moved", "condition", "home", "no place", "on no robot"],
)
def test_check_sees_a_copy_that_is_not_where_it_should_be(
    scenario: Scenario, owner: Engine, fault: str
) -> None:
    _deliver(scenario)
    with database.engine().connect() as connection:
        assert invariants.find_violations(connection) == {}
        connection.execute(text(fault))
        found = invariants.find_violations(connection)
        connection.rollback()
    assert any(sentence.startswith("a copy is where its history says") for sentence in found)


def test_check_sees_a_staff_delivery_that_disagrees_with_its_copy(scenario: Scenario) -> None:
    _send(scenario)
    with database.engine().connect() as connection:
        connection.execute(text("UPDATE copies SET custody = 'ON_ROBOT'"))
        found = invariants.find_violations(connection)
        connection.rollback()
    assert "a task, its request or return, and its copy agree" in found
