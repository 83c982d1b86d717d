"""Cancel a return, or be too late for it.

student asks for a pick-up → cancels it before the robot has the book: CANCELLED, the loan goes on →
asks again, and gives the book to the robot → cancelling is refused: 409, the loan has ended.

SQLAlchemy locks the task; the table of transitions names what is allowed.
"""

from tests.scenario import Scenario, code_of


def test_return_cannot_be_cancelled_once_the_robot_has_the_book(scenario: Scenario) -> None:
    scenario.until_on_loan()
    scenario.request_return()
    scenario.run_events()
    assert scenario.as_student("cancel").json()["data"]["status"] == "CANCELLED"
    assert scenario.custody() == "ON_LOAN"
    scenario.run_events()
    if (command := scenario.robot.next_command()) is not None:
        scenario.robot.report(command, "SUCCEEDED")
    scenario.request_return()
    scenario.run_events()
    scenario.drive_robot()
    scenario.as_student("picked-up")
    assert code_of(scenario.as_student("cancel", 409)) == "INVALID_STATE_TRANSITION"
    scenario.drive_robot()
    scenario.as_librarian("complete")
    assert scenario.custody() == "ON_SHELF"
