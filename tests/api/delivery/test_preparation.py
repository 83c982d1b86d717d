"""The work of staff before loading: claim, release, reassign, a copy that is not found."""

from functools import partial
from typing import Any

import pytest

from tests import event_runner
from tests.factories import users
from tests.scenario import Scenario, code_of, details_of, start_scenario


def _put(scenario: Scenario, user: Any, step: str, expect: int = 200) -> Any:
    return scenario.call(user, "PUT", f"/deliveries/{scenario.task_id}/{step}", expect)


def _miss(scenario: Scenario, expect: int = 200) -> Any:
    path = f"/deliveries/pick-list/{scenario.task_id}/not-found"
    return scenario.call(scenario.librarian, "PUT", path, expect)


def _actions(resource: Any) -> set[str]:
    return {action["name"] for action in resource["actions"] if action["allowed"]}


def test_task_is_claimed_by_one_person_who_is_named(scenario: Scenario) -> None:
    scenario.request_delivery()
    other = users.librarian()
    claimed = _put(scenario, scenario.librarian, "claim").json()["data"]
    assert claimed["claimed_by"]["id"] == str(scenario.librarian.id)
    assert claimed["requester"]["id"] == str(scenario.student.id)
    assert _put(scenario, scenario.librarian, "claim").json()["data"] == claimed
    refused = _put(scenario, other, "claim", 409)
    assert code_of(refused) == "ALREADY_CLAIMED"
    assert details_of(refused)["claimed_by"] == claimed["claimed_by"]
    assert _put(scenario, other, "release", 409)
    assert scenario.run_events().count("delivery.task.claimed") == 1
    assert _put(scenario, scenario.librarian, "release").json()["data"]["claimed_by"] is None
    _put(scenario, other, "claim")
    assert _put(scenario, users.admin(), "release").json()["data"]["claimed_by"] is None


def test_loaded_task_cannot_be_claimed_or_reassigned(scenario: Scenario) -> None:
    scenario.until_departed()
    for step in ("claim", "reassign"):
        assert code_of(_put(scenario, scenario.librarian, step, 409)) == "INVALID_STATE_TRANSITION"
    assert code_of(_miss(scenario, 409)) == "INVALID_STATE_TRANSITION"


@pytest.mark.parametrize("leg", ["TO_SOURCE", "LOADING"])
def test_reassigned_task_goes_to_another_robot(api: Any, leg: str) -> None:
    scenario = start_scenario(api, robots=2)
    scenario.request_delivery()
    scenario.run_events()
    first = scenario.task["assigned_robot_id"]
    robot = next(bot for bot in scenario.robots if str(bot.id) == first)
    if leg == "LOADING":
        scenario.drive_robot(robot)
    assert _put(scenario, scenario.librarian, "reassign").json()["data"]["status"] == "QUEUED"
    assert _put(scenario, scenario.librarian, "reassign").json()["data"]["status"] == "QUEUED"
    scenario.run_events()
    task = scenario.task
    assert task["assigned_robot_id"] not in {first, None}
    assert task["attempt"] == 2
    assert task["history"][-2]["reason"] == "REASSIGNED"
    refused = scenario.as_librarian("book-placed", 409, robot_id=first)
    assert code_of(refused) == "WRONG_ROBOT"


def test_line_of_the_pick_list_names_the_version_that_not_found_is_compared_with(
    scenario: Scenario,
) -> None:
    scenario.request_delivery()
    [line] = scenario.call(scenario.librarian, "GET", "/deliveries/pick-list", 200).json()["data"]
    _put(scenario, scenario.librarian, "claim")
    path = f"/deliveries/pick-list/{scenario.task_id}/not-found"
    stale = {"If-Match": f'"{line["version"]:x}"'}
    refused = scenario.call(scenario.librarian, "PUT", path, 412, headers=stale)
    assert code_of(refused) == "STALE_VERSION"
    [line] = scenario.call(scenario.librarian, "GET", "/deliveries/pick-list", 200).json()["data"]
    fresh = {"If-Match": f'"{line["version"]:x}"'}
    scenario.call(scenario.librarian, "PUT", path, 200, headers=fresh)


def test_missing_copy_is_replaced_by_another(api: Any) -> None:
    scenario = start_scenario(api, copies=2)
    scenario.until_loading()
    missing = scenario.task["copy_barcode"]
    scenario.advance_minutes(4)
    task = _miss(scenario).json()["data"]
    assert (task["status"], task["stage"]) == ("ASSIGNED", "LOADING")
    assert task["copy_barcode"] != missing
    assert scenario.current_request["copy_id"] == task["copy_id"]
    scenario.robot.heartbeat()
    scenario.advance_minutes(7)  # the robot waits anew from the report on
    assert scenario.state == "ASSIGNED/LOADING"
    refused = scenario.as_librarian("book-placed", 409, copy_barcode=missing)
    assert code_of(refused) == "WRONG_COPY"
    scenario.as_librarian("book-placed", copy_barcode=task["copy_barcode"])
    copies = scenario.get(scenario.librarian, f"/books/{scenario.book}/copies")
    assert {copy["barcode"]: copy["condition"] for copy in copies}[missing] == "MISSING"


@pytest.mark.parametrize("leg", ["request_delivery", "until_loading"])
def test_request_ends_when_there_is_no_other_copy(scenario: Scenario, leg: str) -> None:
    getattr(scenario, leg)()
    task = _miss(scenario).json()["data"]
    assert (task["status"], task["failure_reason"]) == ("CANCELLED", "COPY_NOT_FOUND")
    assert _miss(scenario).json()["data"] == task
    request = scenario.current_request
    assert (request["status"], request["cancel_reason"]) == ("CANCELLED", "COPY_NOT_FOUND")
    scenario.run_events()
    titles = [each["title"] for each in scenario.get(scenario.student, "/notifications")]
    assert "Book not found" in titles
    (hold,) = scenario.get(scenario.student, "/holds")
    assert (hold["status"], hold["position"]) == ("QUEUED", 1)


def test_copy_of_a_return_cannot_be_missing_from_its_shelf(scenario: Scenario) -> None:
    scenario.until_on_loan()
    scenario.request_return()
    assert code_of(_miss(scenario, 409)) == "INVALID_STATE_TRANSITION"


def test_actions_say_what_is_possible_in_each_state(scenario: Scenario) -> None:
    scenario.request_delivery()
    before = {"CANCEL", "FAIL", "CLAIM", "NOT_FOUND", "PRIORITY"}
    assert _actions(scenario.task) == before
    assert _actions(scenario.current_request) == {"CANCEL", "CHANGE_PLACE", "REPORT_PROBLEM"}
    scenario.run_events()
    assert _actions(scenario.task) == before | {"REASSIGN"}
    scenario.drive_robot()
    assert _actions(scenario.task) == before | {"REASSIGN", "BOOK_PLACED"}
    scenario.as_librarian("book-placed")
    assert _actions(scenario.task) == {"CANCEL", "FAIL", "PRIORITY"}
    scenario.drive_robot()
    at_door = {"COMPLETE", "CANCEL", "EXTEND", "REPORT_PROBLEM"}
    assert _actions(scenario.current_request) == at_door
    refused = next(each for each in scenario.task["actions"] if each["name"] == "RETRY")
    assert refused["reasons"][0]["code"] == "INVALID_STATE_TRANSITION"
    scenario.as_student("complete")
    assert _actions(scenario.task) == set()


def test_robot_that_takes_too_long_to_the_source_is_replaced(api: Any) -> None:
    scenario = start_scenario(api)
    scenario.request_delivery()
    scenario.run_events()
    scenario.robot.report(scenario.robot.next_command(), "ACCEPTED")
    scenario.advance_minutes(29)
    assert scenario.task["attempt"] == 1
    scenario.advance_minutes(2)
    assert scenario.task["attempt"] == 2
    assert "ROBOT_LATE" in {step["reason"] for step in scenario.task["history"]}


def test_robot_late_with_a_book_on_board_alerts_staff(scenario: Scenario) -> None:
    scenario.until_departed()
    scenario.advance_minutes(31)
    assert scenario.state == "IN_PROGRESS/TO_DESTINATION"
    alerts = scenario.get(scenario.librarian, "/deliveries/alerts?state=OPEN")
    assert [alert["reason"] for alert in alerts] == ["ROBOT_LATE"]


def test_claims_of_two_librarians_at_once_give_one_owner(scenario: Scenario) -> None:
    scenario.request_delivery()
    people = [users.librarian() for _ in range(4)]
    path = f"/api/v1/deliveries/{scenario.task_id}/claim"
    calls = [partial(scenario.api.put, path, headers=who.headers) for who in people]
    answers = event_runner.at_once(calls)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
