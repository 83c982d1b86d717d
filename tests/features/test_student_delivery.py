"""A student asks for a book; a librarian loads it; the robot brings it; the student takes it.

request → (dispatch) robot to the desk → book-placed → robot to the room → complete → loan.
Later the same book is fetched back: return → robot to the room → picked-up → robot to the return
station → complete → on the shelf again.
"""

from typing import Any

from tests import scenario


def test_a_book_comes_to_the_student(api: Any) -> None:
    tale = scenario.begin(api)
    tale.ask("sr-201")
    assert tale.cause["status"] == "PENDING"
    assert tale.cause["request_location"] == "Study Room 201"

    tale.run()
    assert tale.state == "ASSIGNED/TO_SOURCE"
    to_desk = tale.drive()
    assert to_desk["payload"]["waypoint"]["name"] == "Circulation Desk"
    assert to_desk["payload"]["loading_proof_id"] is None
    assert tale.state == "ASSIGNED/LOADING"
    assert tale.robot.next() is None  # it waits for the book

    tale.staff("book-placed")
    to_room = tale.drive()
    assert to_room["payload"]["waypoint"]["name"] == "Study Room 201"
    assert to_room["payload"]["loading_proof_id"] is not None
    assert tale.state == "IN_PROGRESS/HANDOVER"
    assert len(tale.cause["handover_code"]) == 4

    tale.mine("complete")
    assert tale.cause["status"] == "COMPLETED"
    assert tale.custody() == "ON_LOAN"


def test_the_book_is_fetched_back(api: Any) -> None:
    tale = scenario.begin(api).lent()
    tale.ask_back("Study Room 201")
    tale.run()
    tale.drive()
    assert tale.robot.next() is None  # it waits for the student

    tale.mine("picked-up")
    to_station = tale.drive()
    assert to_station["payload"]["waypoint"]["name"] == "Return Station"

    tale.staff("complete")
    assert tale.cause["status"] == "COMPLETED"
    assert tale.custody() == "ON_SHELF"
    tale.run()
    told = tale.call(tale.student, "GET", "/notifications").json()
    assert told["pagination"]["total"] >= 6
