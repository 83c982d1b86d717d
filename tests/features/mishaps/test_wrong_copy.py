"""Refuse the wrong copy at the desk.

librarian scans another copy → 409 that names both → nothing has changed → the right copy is
accepted, and the robot may leave.

FastAPI takes the call; the check runs before any row changes.
"""

from tests.factories import catalogue
from tests.scenario import Scenario, code_of, details_of


def test_another_copy_is_refused_and_nothing_changes(scenario: Scenario) -> None:
    other = catalogue.add_book("Another book")
    wrong = scenario.get(scenario.librarian, f"/books/{other}/copies")[0]["barcode"]
    scenario.until_loading()
    before = scenario.task
    refused = scenario.as_librarian("book-placed", 409, copy_barcode=wrong)
    assert code_of(refused) == "WRONG_COPY"
    assert details_of(refused) == {"expected": before["copy_barcode"], "given": wrong}
    assert scenario.task == before
    assert scenario.robot.next_command() is None
    scenario.as_librarian("book-placed", copy_barcode=before["copy_barcode"])
    assert scenario.robot.next_command() is not None
