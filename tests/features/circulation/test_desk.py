"""Lend, renew and receive a copy at the desk.

librarian scans member and copy → every rule that refuses is named at once → the loan ends on an
open day → nobody waits, so it is renewed → the scanned copy says where to put it.

SQLAlchemy locks member and copy in one transaction, PostgreSQL derives the title's availability,
Celery carries the event that reminds the member later.
"""

from datetime import timedelta

from tests import event_runner
from tests.factories import users
from tests.scenario import Scenario, code_of


def test_copy_is_lent_renewed_and_received(scenario: Scenario) -> None:
    barcode = f"{scenario.book.hex[-8:]}-0".upper()
    body = {"user_id": str(scenario.student.id), "copy_barcode": barcode}
    made = scenario.call(scenario.librarian, "POST", "/loans", 201, json=body)
    loan = made.json()["data"]
    assert scenario.get(scenario.student, f"/books/{scenario.book}")["status"] == "CHECKED_OUT"
    again = {**body, "user_id": str(users.student().id)}
    refused = scenario.call(scenario.librarian, "POST", "/loans", 409, json=again)
    assert code_of(refused) == "BOOK_NOT_AVAILABLE"

    event_runner.advance_clock(timedelta(days=26))
    scenario.librarian = users.librarian()  # earlier tokens have expired
    renewed = scenario.call(scenario.librarian, "PUT", f"/loans/{loan['id']}/renew").json()["data"]
    assert renewed["due_at"] > loan["due_at"]

    scan = {"copy_barcode": barcode}
    received = scenario.call(scenario.librarian, "POST", "/loans/check-in", json=scan)
    assert received.json()["data"]["destination"] == "SHELF"
