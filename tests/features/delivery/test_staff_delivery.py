"""Send a copy from one desk to another.

inter-staff delivery → robot drives to the source → librarian loads → robot drives to the
destination → librarian there confirms the receipt → the copy is at that desk.

FastAPI takes the steps, SQLAlchemy moves the custody of the copy with the task, networkx finds
the route.
"""

from tests.scenario import Scenario


def test_copy_travels_between_desks(scenario: Scenario) -> None:
    body = {
        "book_id": str(scenario.book),
        "source_location": "WS-1",
        "destination_location": "RS-1",
    }
    made = scenario.call(scenario.librarian, "POST", "/deliveries/inter-staff", 201, json=body)
    scenario.task_id = made.json()["data"]["id"]
    scenario.run_events()
    scenario.drive_robot()
    scenario.as_librarian("book-placed")
    assert scenario.drive_robot()["payload"]["waypoint"]["name"] == "Return Station"
    assert scenario.as_librarian("complete").json()["data"]["status"] == "COMPLETED"
    assert scenario.custody() == "AT_DESK"
