"""Prepare the copies that robots will fetch.

requests → pick list (a route past the shelves, in batches of one trip) → one librarian claims a
row, for everybody to see → a copy that is not on its shelf ends the request, keeps the student's
place in the queue and marks the copy as missing.

SQLAlchemy locks the task for a claim; the order of the shelves is LUNA's own (`pick_list`).
"""

from tests.factories import users
from tests.scenario import Scenario, code_of


def test_claimed_row_of_the_pick_list_names_who_prepares_it(scenario: Scenario) -> None:
    scenario.request_delivery()
    scenario.as_librarian("claim")
    (row,) = scenario.get(scenario.librarian, "/deliveries/pick-list")
    assert (row["sequence"], row["claimed_by"]["id"]) == (1, str(scenario.librarian.id))
    path = f"/deliveries/{scenario.task_id}/claim"
    assert code_of(scenario.call(users.librarian(), "PUT", path, 409)) == "ALREADY_CLAIMED"


def test_copy_that_is_not_found_keeps_the_students_place(scenario: Scenario) -> None:
    scenario.request_delivery()
    path = f"/deliveries/pick-list/{scenario.task_id}/not-found"
    scenario.call(scenario.librarian, "PUT", path)
    scenario.run_events()
    request = scenario.current_request
    assert (request["status"], request["cancel_reason"]) == ("CANCELLED", "COPY_NOT_FOUND")
    assert scenario.get(scenario.student, "/holds")[0]["position"] == 1
