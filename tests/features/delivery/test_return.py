"""Pick up a borrowed book.

return → robot drives to the student → student confirms that the book is on the robot (the loan
ends) → robot drives to the return station → librarian confirms the receipt → copy on its shelf.

FastAPI takes the steps, SQLAlchemy closes the loan with the same transaction that commands the
robot, Celery carries the events to the notifications.
"""

from tests.scenario import Scenario


def test_borrowed_book_is_picked_up_and_shelved(scenario: Scenario) -> None:
    scenario.until_on_loan()
    scenario.request_return("Study Room 201")
    scenario.run_events()
    scenario.drive_robot()
    assert scenario.robot.next_command() is None  # the robot waits for the student

    scenario.as_student("picked-up")
    (loan,) = scenario.get(scenario.student, "/loans")
    assert loan["returned_at"] is not None
    to_station = scenario.drive_robot()
    assert to_station["payload"]["waypoint"]["name"] == "Return Station"

    scenario.as_librarian("complete")
    assert scenario.current_request["status"] == "COMPLETED"
    assert scenario.custody() == "ON_SHELF"
