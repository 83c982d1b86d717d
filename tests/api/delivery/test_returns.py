"""Returns: creation, pick-up, cancellation and failure."""

from sqlalchemy import Engine, text

from tests.factories import users
from tests.scenario import Scenario, code_of, details_of


def test_only_own_loan_can_be_returned_once(scenario: Scenario) -> None:
    assert code_of(scenario.request_return(expect=409)) == "NOT_BORROWED"
    scenario.until_on_loan()
    borrower, scenario.student = scenario.student, users.student()
    assert code_of(scenario.request_return(expect=409)) == "NOT_BORROWED"
    scenario.student = borrower
    assert code_of(scenario.request_return("Nowhere", 422)) == "UNKNOWN_LOCATION"
    scenario.request_return()
    assert code_of(scenario.request_return(expect=409)) == "ALREADY_RETURNING"


def test_returned_book_is_fetched_and_shelved(scenario: Scenario, owner: Engine) -> None:
    scenario.until_on_loan()
    scenario.request_return("sr-202")
    assert scenario.as_student("picked-up", 409).status_code == 409  # the robot has not arrived
    scenario.run_events()
    assert scenario.current_request["status"] == "PICKUP_SCHEDULED"
    scenario.drive_robot()
    assert scenario.robot.next_command() is None
    assert scenario.as_student("picked-up").json()["data"]["status"] == "PICKED_UP"
    assert scenario.as_student("picked-up").json()["data"]["status"] == "PICKED_UP"
    assert scenario.custody() == "ON_ROBOT"
    assert scenario.drive_robot()["payload"]["waypoint"]["name"] == "Return Station"
    scenario.as_librarian("complete")
    assert (scenario.current_request["status"], scenario.custody()) == ("COMPLETED", "ON_SHELF")
    scenario.as_librarian("complete")
    with owner.connect() as connection:
        loans = connection.execute(text("SELECT returned_at, processed_at FROM loans")).one()
    assert None not in tuple(loans)


def test_return_can_be_cancelled_only_before_pickup(
    scenario: Scenario,
) -> None:
    scenario.until_on_loan()
    scenario.request_return()
    scenario.run_events()
    scenario.drive_robot()
    assert scenario.as_student("cancel").json()["data"]["status"] == "CANCELLED"
    assert scenario.custody() == "ON_LOAN"
    scenario.request_return()
    scenario.run_events()
    scenario.drive_robot()
    scenario.as_student("picked-up")
    refused = scenario.as_student("cancel", 409)
    assert code_of(refused) == "INVALID_STATE_TRANSITION"
    assert details_of(refused)["allowed"] == ["ARRIVE", "FAIL"]
    assert code_of(scenario.as_librarian("cancel", 409)) == "INVALID_STATE_TRANSITION"


def test_return_of_another_student_is_not_found(scenario: Scenario) -> None:
    scenario.until_on_loan()
    scenario.request_return()
    other = users.student()
    scenario.call(other, "GET", f"/returns/{scenario.request['id']}", 404)
    scenario.act_as(other, "picked-up", 404)
    scenario.act_as(other, "cancel", 404)
    assert scenario.get(other, "/returns") == []


def test_failed_return_with_book_on_board_is_closed_by_book_location(
    scenario: Scenario,
) -> None:
    scenario.until_on_loan()
    scenario.request_return()
    scenario.run_events()
    scenario.drive_robot()
    scenario.as_student("picked-up")
    scenario.as_librarian("fail", reason="It fell", book_location="Lift 2")
    assert code_of(scenario.as_librarian("retry", 409)) == "CONFLICT"
    scenario.as_librarian("cancel", book_location="Return Station")
    assert (scenario.current_request["status"], scenario.custody()) == ("COMPLETED", "ON_SHELF")
