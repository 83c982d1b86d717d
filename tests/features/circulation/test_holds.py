"""Wait for a title that is on loan.

hold (a place in the title's queue) → the copy comes back → it is kept for the first member, who is
notified → it is lent to that member alone, and the hold is fulfilled.

PostgreSQL settles who is first, SQLAlchemy moves copy and hold in one transaction, Celery carries
the event to the notifications.
"""

from tests.factories import users
from tests.scenario import Scenario


def test_returned_copy_is_kept_for_the_first_who_waits(scenario: Scenario) -> None:
    scan = {"copy_barcode": f"{scenario.book.hex[-8:]}-0".upper()}
    reader, first, second = scenario.student, users.student(), users.student()
    body = {"user_id": str(reader.id), **scan}
    scenario.call(scenario.librarian, "POST", "/loans", 201, json=body)
    for member in (first, second):
        scenario.call(member, "POST", "/holds", 201, json={"book_id": str(scenario.book)})
    assert [scenario.get(each, "/holds")[0]["position"] for each in (first, second)] == [1, 2]

    received = scenario.call(scenario.librarian, "POST", "/loans/check-in", json=scan)
    assert received.json()["data"]["destination"] == "HOLD_SHELF"
    scenario.run_events()
    messages = scenario.get(first, "/notifications")
    assert "CIRCULATION_HOLD_READY" in {message["notification_type"] for message in messages}

    for member, status in ((second, 409), (first, 201)):
        body = {"user_id": str(member.id), **scan}
        scenario.call(scenario.librarian, "POST", "/loans", status, json=body)
    assert scenario.get(first, "/holds?status=FULFILLED")[0]["book_id"] == str(scenario.book)
