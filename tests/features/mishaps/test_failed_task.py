"""Keep request and copy as they are when a task has failed.

staff give up a delivery on its way, saying where the book is → request and copy stay as they are
→ staff retry: a new attempt from the desk → or cancel, and the copy is back on its shelf.

SQLAlchemy changes task, request and copy in one transaction; the alert ends with the retry.
"""

from tests.scenario import Scenario


def test_failed_delivery_waits_for_a_retry_or_a_cancel(scenario: Scenario) -> None:
    scenario.until_departed()
    scenario.as_librarian("fail", 422, reason="It fell over")  # the book was on the robot
    scenario.as_librarian("fail", reason="It fell over", book_location="Circulation Desk")
    scenario.run_events()
    assert (scenario.current_request["status"], scenario.custody()) == ("IN_PROGRESS", "ON_ROBOT")
    scenario.as_librarian("retry")
    scenario.run_events()
    assert (scenario.task["attempt"], scenario.custody()) == (2, "RESERVED")
    scenario.as_librarian("fail", reason="Closing time")
    scenario.as_librarian("cancel")
    assert (scenario.current_request["status"], scenario.custody()) == ("CANCELLED", "ON_SHELF")
