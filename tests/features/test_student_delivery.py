"""A student asks for a book; a librarian loads it; the robot brings it; the student takes it.

request → (dispatch) robot to the desk → book-placed → robot to the room → complete → loan.
Later the same book is fetched back: return → robot to the room → picked-up → robot to the return
station → complete → on the shelf again.
"""

from typing import Any

from tests.scenario import start_scenario


def test_a_book_comes_to_the_student(api: Any) -> None:
    scenario = start_scenario(api)
    scenario.request_delivery("sr-201")
    assert scenario.current_request["status"] == "PENDING"
    assert scenario.current_request["request_location"] == "Study Room 201"

    scenario.run_events()
    assert scenario.state == "ASSIGNED/TO_SOURCE"
    to_desk = scenario.drive_robot()
    assert to_desk["payload"]["waypoint"]["name"] == "Circulation Desk"
    assert to_desk["payload"]["loading_proof_id"] is None
    assert scenario.state == "ASSIGNED/LOADING"
    assert scenario.robot.next_command() is None  # it waits for the book

    scenario.as_librarian("book-placed")
    to_room = scenario.drive_robot()
    assert to_room["payload"]["waypoint"]["name"] == "Study Room 201"
    assert to_room["payload"]["loading_proof_id"] is not None
    assert scenario.state == "IN_PROGRESS/HANDOVER"
    assert len(scenario.current_request["handover_code"]) == 4

    scenario.as_student("complete")
    assert scenario.current_request["status"] == "COMPLETED"
    assert scenario.custody() == "ON_LOAN"


def test_the_book_is_fetched_back(api: Any) -> None:
    scenario = start_scenario(api).until_on_loan()
    scenario.request_return("Study Room 201")
    scenario.run_events()
    scenario.drive_robot()
    assert scenario.robot.next_command() is None  # it waits for the student

    scenario.as_student("picked-up")
    to_station = scenario.drive_robot()
    assert to_station["payload"]["waypoint"]["name"] == "Return Station"

    scenario.as_librarian("complete")
    assert scenario.current_request["status"] == "COMPLETED"
    assert scenario.custody() == "ON_SHELF"
    scenario.run_events()
    told = scenario.call(scenario.student, "GET", "/notifications").json()
    assert told["pagination"]["total"] >= 6
