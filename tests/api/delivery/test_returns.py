"""Returns: a borrowed book is fetched."""

from sqlalchemy import Engine, text

from tests.factories import users
from tests.scenario import Scenario, code_of, details_of


def test_only_a_book_on_loan_to_the_caller_is_fetched(scenario: Scenario) -> None:
    assert code_of(scenario.request_return(expect=409)) == "NOT_BORROWED"
    scenario.until_on_loan()
    borrower, scenario.student = scenario.student, users.student()
    assert code_of(scenario.request_return(expect=409)) == "NOT_BORROWED"
    scenario.student = borrower
    assert code_of(scenario.request_return("Nowhere", 422)) == "UNKNOWN_LOCATION"
    scenario.request_return()
    assert code_of(scenario.request_return(expect=409)) == "ALREADY_RETURNING"


def test_a_book_is_fetched_and_shelved(scenario: Scenario, owner: Engine) -> None:
    scenario.until_on_loan()
    scenario.request_return("sr-202")
    assert scenario.as_student("picked-up", 409).status_code == 409  # the robot is not there
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


def test_a_return_is_called_off_before_the_robot_has_the_book_and_never_after(
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


def test_anothers_return_is_not_there(scenario: Scenario) -> None:
    scenario.until_on_loan()
    scenario.request_return()
    other = users.student()
    scenario.call(other, "GET", f"/returns/{scenario.request['id']}", 404)
    scenario.act_as(other, "picked-up", 404)
    scenario.act_as(other, "cancel", 404)
    assert scenario.get(other, "/returns") == []


def test_a_failed_return_with_the_book_on_board_is_closed_by_where_the_book_is(
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
