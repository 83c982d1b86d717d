"""Cancel, fail, retry: at any moment, with the book wherever it is."""

import pytest
from sqlalchemy import Engine, text

from tests.factories import users
from tests.scenario import Story, code_of, details_of


def test_a_request_that_waits_is_cancelled_at_once_and_its_copy_is_free_again(tale: Story) -> None:
    tale.ask()
    done = tale.mine("cancel", reason="Found it online").json()["data"]
    assert (done["status"], done["cancel_reason"]) == ("CANCELLED", "Found it online")
    assert tale.state == "CANCELLED"
    assert tale.custody() == "ON_SHELF"
    assert tale.mine("cancel").json()["data"]["cancel_reason"] == "Found it online"
    tale.ask()  # and may be asked for anew


def test_a_robot_under_way_to_the_desk_is_called_off(tale: Story) -> None:
    tale.ask()
    tale.run()
    drive = tale.robot.next()
    tale.robot.report(drive, "ACCEPTED")
    tale.mine("cancel")
    assert code_of(tale.robot.report(drive, "STARTED")) == "LEASE_LOST"
    told = tale.robot.next()
    assert (told["type"], told["payload"]) == ("CANCEL", {"command_id": drive["id"]})
    tale.robot.report(told, "SUCCEEDED")
    tale.ask()
    tale.run()
    assert tale.state == "ASSIGNED/TO_SOURCE"  # the robot serves again


def test_a_robot_that_waits_for_the_book_is_freed(tale: Story) -> None:
    tale.at_desk()
    tale.mine("cancel")
    assert tale.state == "CANCELLED"
    assert tale.custody() == "ON_SHELF"
    assert tale.robot.next() is None


@pytest.mark.parametrize("moment", ["on_the_way", "at_the_room"])
def test_a_loaded_robot_brings_the_book_back_and_staff_take_it_after_arrival_only(
    tale: Story, moment: str
) -> None:
    getattr(tale, moment)()
    tale.mine("cancel")
    assert (tale.cause["status"], tale.state) == ("CANCELLED", "IN_PROGRESS/BRINGING_BACK")
    assert tale.custody() == "ON_ROBOT"
    refused = tale.staff("complete", 409)
    assert code_of(refused) == "INVALID_STATE_TRANSITION"
    assert "TAKE_BACK" not in details_of(refused)["allowed"]
    assert tale.mine("complete", 409).status_code == 409
    assert tale.cause["handover_code"] is None
    command = tale.robot.next()
    if command["type"] == "CANCEL":
        command = tale.robot.next()
    assert command["payload"]["waypoint"]["name"] == "Circulation Desk"
    tale.robot.drive(command)
    tale.run()
    assert tale.staff("complete").json()["data"]["status"] == "CANCELLED"
    assert tale.custody() == "ON_SHELF"
    assert tale.cause["status"] == "CANCELLED"
    assert tale.staff("complete").json()["data"]["status"] == "CANCELLED"


def test_a_completed_request_can_not_be_cancelled(tale: Story) -> None:
    tale.lent()
    refused = tale.mine("cancel", 409)
    assert code_of(refused) == "INVALID_STATE_TRANSITION"
    assert details_of(refused) == {"current": "COMPLETED", "requested": "CANCEL", "allowed": []}


def test_a_librarian_ends_the_delivery_and_an_admin_may_cancel_the_request(tale: Story) -> None:
    tale.ask()
    assert code_of(tale.step(tale.librarian, "cancel", 403)) == "FORBIDDEN"
    tale.step(users.admin(), "cancel")
    tale.ask()
    assert tale.staff("cancel", reason="Closed today").json()["data"]["status"] == "CANCELLED"
    assert tale.cause["cancel_reason"] == "Closed today"


def test_a_failed_delivery_leaves_request_and_copy_until_it_is_retried(tale: Story) -> None:
    tale.at_desk()
    failed = tale.staff("fail", reason="The shelf is locked").json()["data"]
    assert (failed["status"], failed["failure_reason"]) == ("FAILED", "The shelf is locked")
    assert (tale.cause["status"], tale.custody()) == ("APPROVED", "RESERVED")
    again = tale.staff("retry").json()["data"]
    assert (again["status"], again["attempt"], again["failure_reason"]) == ("QUEUED", 2, None)
    assert tale.staff("retry").json()["data"]["attempt"] == 2
    tale.run()
    assert tale.state == "ASSIGNED/TO_SOURCE"


def test_failing_with_the_book_on_board_needs_the_place_of_the_book(tale: Story) -> None:
    tale.on_the_way()
    refused = tale.staff("fail", 422, reason="It fell")
    assert list(details_of(refused)["fields"]) == ["book_location"]
    tale.staff("fail", reason="It fell", book_location="Lift 2")
    assert (tale.state, tale.custody()) == ("FAILED", "ON_ROBOT")
    assert tale.task["book_location"] == "Lift 2"
    again = tale.staff("retry").json()["data"]
    assert (again["status"], again["book_location"]) == ("QUEUED", None)
    assert (tale.cause["status"], tale.custody()) == ("PENDING", "RESERVED")


def test_a_failed_delivery_is_cancelled_with_the_book_back_on_its_shelf(tale: Story) -> None:
    tale.on_the_way()
    tale.staff("fail", reason="It fell", book_location="Circulation Desk")
    tale.staff("cancel")
    assert (tale.cause["status"], tale.custody()) == ("CANCELLED", "ON_SHELF")
    assert tale.get(tale.student, f"/books/{tale.book}")["status"] == "AVAILABLE"


@pytest.mark.parametrize("moment", ["at_desk", "on_the_way"])
def test_a_missing_book_can_not_be_asked_for(tale: Story, moment: str) -> None:
    getattr(tale, moment)()
    tale.staff("fail", reason="Nobody finds it", book_location="MISSING")
    tale.staff("cancel", book_location="MISSING")
    assert tale.get(tale.student, f"/books/{tale.book}")["status"] == "UNAVAILABLE"
    assert code_of(tale.ask(expect=409)) == "BOOK_NOT_AVAILABLE"


def test_a_member_cancels_a_failed_delivery_and_staff_say_where_the_book_is(tale: Story) -> None:
    tale.on_the_way()
    tale.staff("fail", reason="It fell", book_location="Lift 2")
    assert tale.mine("cancel").json()["data"]["status"] == "CANCELLED"
    assert tale.state == "FAILED"
    assert code_of(tale.staff("retry", 409)) == "CONFLICT"
    tale.staff("cancel", book_location="Circulation Desk")
    assert (tale.state, tale.custody()) == ("CANCELLED", "ON_SHELF")


def test_what_staff_do_to_a_journey_is_audited(tale: Story, owner: Engine) -> None:
    tale.ask()
    tale.staff("priority", priority="HIGH")
    tale.staff("fail", reason="No robot")
    tale.staff("retry")
    tale.staff("cancel", reason="Enough")
    question = "SELECT action, user_id FROM audit_logs WHERE action LIKE 'delivery.%' ORDER BY id"
    with owner.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(question))]
    actions = ("priority", "fail", "retry", "cancel")
    assert rows == [(f"delivery.{action}", tale.librarian.id) for action in actions]


def test_an_ended_delivery_can_not_be_reordered(tale: Story) -> None:
    tale.ask()
    tale.mine("cancel")
    assert code_of(tale.staff("priority", 409, priority="URGENT")) == "INVALID_STATE_TRANSITION"
