"""Cancel a request while the book is on its way.

cancel → the request is CANCELLED at once, the task becomes BRINGING_BACK → robot drives back →
librarian takes the book → the task is CANCELLED, the copy on its shelf.

FastAPI takes the call; SQLAlchemy voids the robot's command, issues the new one and writes the
history and the events in one transaction.
"""

from tests.scenario import Scenario


def test_cancelled_book_returns_to_its_shelf(scenario: Scenario) -> None:
    scenario.until_departed()
    cancelled = scenario.as_student("cancel", reason="Found it").json()["data"]
    assert cancelled["status"] == "CANCELLED"
    assert scenario.state == "IN_PROGRESS/BRINGING_BACK"
    assert scenario.drive_robot()["payload"]["waypoint"]["name"] == "Circulation Desk"
    assert scenario.as_librarian("complete").json()["data"]["status"] == "CANCELLED"
    assert scenario.custody() == "ON_SHELF"
