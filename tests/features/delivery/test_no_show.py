"""End a delivery that nobody receives.

robot waits at the room → two reminders → after ten minutes the request is CANCELLED (NO_SHOW) and
the robot brings the book back.

The scheduler, a thread beside the Celery worker, runs the deadline sweep under an advisory lock;
SQLAlchemy applies the transition.
"""

from tests.scenario import Scenario


def test_request_is_cancelled_when_nobody_receives_the_book(scenario: Scenario) -> None:
    scenario.until_handover()
    for _ in range(3):
        scenario.advance_minutes(3.4)
    titles = [note["title"] for note in scenario.get(scenario.student, "/notifications")]
    assert titles.count("The robot is waiting") == 2
    request = scenario.current_request
    assert (request["status"], request["cancel_reason"]) == ("CANCELLED", "NO_SHOW")
    scenario.drive_robot()
    scenario.as_librarian("complete")
    assert scenario.custody() == "ON_SHELF"
