"""Deliver a book to a student.

request (a copy is reserved) → dispatcher assigns a robot → robot drives to the workstation →
librarian confirms the loading → robot drives to the room → student confirms the receipt → loan.

FastAPI takes the steps of users and robots, SQLAlchemy locks and changes the rows of a step in
one transaction, Celery carries the events to the dispatcher and the notifications, networkx finds
the route and its length for the arrival time.
"""

from tests.scenario import Scenario


def test_requested_book_arrives_and_becomes_a_loan(scenario: Scenario) -> None:
    scenario.request_delivery("sr-201")
    assert scenario.current_request["status"] == "PENDING"

    scenario.run_events()
    assert scenario.state == "ASSIGNED/TO_SOURCE"
    to_desk = scenario.drive_robot()
    assert to_desk["payload"]["waypoint"]["name"] == "Circulation Desk"
    assert scenario.state == "ASSIGNED/LOADING"
    assert scenario.robot.next_command() is None  # no command to leave without the confirmation

    scenario.as_librarian("book-placed")
    seen = scenario.current_request["task"]
    assert (seen["stage"], seen["robot_position"]["floor"]) == ("TO_DESTINATION", 1)
    to_room = scenario.drive_robot()
    assert to_room["payload"]["waypoint"]["name"] == "Study Room 201"
    assert to_room["payload"]["loading_proof_id"] is not None
    assert scenario.state == "IN_PROGRESS/HANDOVER"
    assert len(scenario.current_request["handover_code"]) == 4

    scenario.as_student("complete")
    assert scenario.current_request["status"] == "COMPLETED"
    assert scenario.custody() == "ON_LOAN"
