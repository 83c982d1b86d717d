"""Cancel, fail and retry in every stage, before and after loading."""

import pytest
from sqlalchemy import Engine, text

from tests.factories import users
from tests.scenario import Scenario, code_of, details_of


def test_cancel_of_pending_request_frees_copy_at_once(
    scenario: Scenario,
) -> None:
    scenario.request_delivery()
    done = scenario.as_student("cancel", reason="Found it online").json()["data"]
    assert (done["status"], done["cancel_reason"]) == ("CANCELLED", "Found it online")
    assert scenario.state == "CANCELLED"
    assert scenario.custody() == "ON_SHELF"
    assert scenario.as_student("cancel").json()["data"]["cancel_reason"] == "Found it online"
    scenario.request_delivery()  # the title can be requested again


def test_cancel_on_way_to_source_cancels_drive(scenario: Scenario) -> None:
    scenario.request_delivery()
    scenario.run_events()
    drive = scenario.robot.next_command()
    scenario.robot.report(drive, "ACCEPTED")
    scenario.as_student("cancel")
    assert code_of(scenario.robot.report(drive, "STARTED")) == "LEASE_LOST"
    cancel = scenario.robot.next_command()
    assert (cancel["type"], cancel["payload"]) == ("CANCEL", {"command_id": drive["id"]})
    scenario.robot.report(cancel, "SUCCEEDED")
    scenario.request_delivery()
    scenario.run_events()
    assert scenario.state == "ASSIGNED/TO_SOURCE"  # the robot is assigned again


def test_cancel_before_loading_frees_robot(scenario: Scenario) -> None:
    scenario.until_loading()
    scenario.as_student("cancel")
    assert scenario.state == "CANCELLED"
    assert scenario.custody() == "ON_SHELF"
    assert scenario.robot.next_command() is None


@pytest.mark.parametrize("moment", ["until_departed", "until_handover"])
def test_student_cancel_after_loading_brings_book_back(scenario: Scenario, moment: str) -> None:
    getattr(scenario, moment)()
    scenario.as_student("cancel")
    assert (scenario.current_request["status"], scenario.state) == (
        "CANCELLED",
        "IN_PROGRESS/BRINGING_BACK",
    )
    assert scenario.custody() == "ON_ROBOT"
    refused = scenario.as_librarian("complete", 409)
    assert code_of(refused) == "INVALID_STATE_TRANSITION"
    assert "TAKE_BACK" not in details_of(refused)["allowed"]
    assert scenario.as_student("complete", 409).status_code == 409
    assert scenario.current_request["handover_code"] is None
    command = scenario.robot.next_command()
    if command["type"] == "CANCEL":
        command = scenario.robot.next_command()
    assert command["payload"]["waypoint"]["name"] == "Circulation Desk"
    scenario.robot.drive(command)
    scenario.run_events()
    assert scenario.as_librarian("complete").json()["data"]["status"] == "CANCELLED"
    assert scenario.custody() == "ON_SHELF"
    assert scenario.current_request["status"] == "CANCELLED"
    assert scenario.as_librarian("complete").json()["data"]["status"] == "CANCELLED"


def test_completed_request_cannot_be_cancelled(scenario: Scenario) -> None:
    scenario.until_on_loan()
    refused = scenario.as_student("cancel", 409)
    assert code_of(refused) == "INVALID_STATE_TRANSITION"
    assert details_of(refused) == {"current": "COMPLETED", "requested": "CANCEL", "allowed": []}


def test_librarian_cancels_delivery_and_admin_cancels_request(
    scenario: Scenario,
) -> None:
    scenario.request_delivery()
    assert code_of(scenario.act_as(scenario.librarian, "cancel", 403)) == "FORBIDDEN"
    scenario.act_as(users.admin(), "cancel")
    scenario.request_delivery()
    assert (
        scenario.as_librarian("cancel", reason="Closed today").json()["data"]["status"]
        == "CANCELLED"
    )
    assert scenario.current_request["cancel_reason"] == "Closed today"


def test_failed_delivery_keeps_request_and_copy_until_retry(scenario: Scenario) -> None:
    scenario.until_loading()
    failed = scenario.as_librarian("fail", reason="The shelf is locked").json()["data"]
    assert (failed["status"], failed["failure_reason"]) == ("FAILED", "The shelf is locked")
    assert (scenario.current_request["status"], scenario.custody()) == ("APPROVED", "RESERVED")
    again = scenario.as_librarian("retry").json()["data"]
    assert (again["status"], again["attempt"], again["failure_reason"]) == ("QUEUED", 2, None)
    assert scenario.as_librarian("retry").json()["data"]["attempt"] == 2
    scenario.run_events()
    assert scenario.state == "ASSIGNED/TO_SOURCE"


def test_fail_with_book_on_board_requires_book_location(scenario: Scenario) -> None:
    scenario.until_departed()
    refused = scenario.as_librarian("fail", 422, reason="It fell")
    assert list(details_of(refused)["fields"]) == ["book_location"]
    scenario.as_librarian("fail", reason="It fell", book_location="Lift 2")
    assert (scenario.state, scenario.custody()) == ("FAILED", "ON_ROBOT")
    assert scenario.task["book_location"] == "Lift 2"
    again = scenario.as_librarian("retry").json()["data"]
    assert (again["status"], again["book_location"]) == ("QUEUED", None)
    assert (scenario.current_request["status"], scenario.custody()) == ("PENDING", "RESERVED")


def test_cancel_of_failed_delivery_returns_book_to_shelf(scenario: Scenario) -> None:
    scenario.until_departed()
    scenario.as_librarian("fail", reason="It fell", book_location="Circulation Desk")
    scenario.as_librarian("cancel")
    assert (scenario.current_request["status"], scenario.custody()) == ("CANCELLED", "ON_SHELF")
    assert scenario.get(scenario.student, f"/books/{scenario.book}")["status"] == "AVAILABLE"


@pytest.mark.parametrize("moment", ["until_loading", "until_departed"])
def test_missing_book_cannot_be_requested(scenario: Scenario, moment: str) -> None:
    getattr(scenario, moment)()
    scenario.as_librarian("fail", reason="Nobody finds it", book_location="MISSING")
    scenario.as_librarian("cancel", book_location="MISSING")
    assert scenario.get(scenario.student, f"/books/{scenario.book}")["status"] == "UNAVAILABLE"
    assert code_of(scenario.request_delivery(expect=409)) == "BOOK_NOT_AVAILABLE"


def test_student_cancel_of_failed_delivery_leaves_task_to_staff(
    scenario: Scenario,
) -> None:
    scenario.until_departed()
    scenario.as_librarian("fail", reason="It fell", book_location="Lift 2")
    assert scenario.as_student("cancel").json()["data"]["status"] == "CANCELLED"
    assert scenario.state == "FAILED"
    assert code_of(scenario.as_librarian("retry", 409)) == "CONFLICT"
    scenario.as_librarian("cancel", book_location="Circulation Desk")
    assert (scenario.state, scenario.custody()) == ("CANCELLED", "ON_SHELF")


def test_staff_actions_on_task_are_audited(scenario: Scenario, owner: Engine) -> None:
    scenario.request_delivery()
    scenario.as_librarian("priority", priority="HIGH")
    scenario.as_librarian("fail", reason="No robot")
    scenario.as_librarian("retry")
    scenario.as_librarian("cancel", reason="Enough")
    statement = "SELECT action, user_id FROM audit_logs WHERE action LIKE 'delivery.%' ORDER BY id"
    with owner.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(statement))]
    actions = ("priority", "fail", "retry", "cancel")
    assert rows == [(f"delivery.{action}", scenario.librarian.id) for action in actions]


def test_priority_of_cancelled_delivery_cannot_change(scenario: Scenario) -> None:
    scenario.request_delivery()
    scenario.as_student("cancel")
    assert (
        code_of(scenario.as_librarian("priority", 409, priority="URGENT"))
        == "INVALID_STATE_TRANSITION"
    )
