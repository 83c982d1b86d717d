"""Who sees which loans."""

from datetime import timedelta
from uuid import uuid4

from backend.shared.domain import custody
from backend.shared.infra import database
from tests import event_runner
from tests.api.book.catalogue_client import Library
from tests.api.book.test_copies import lend_one
from tests.factories import users


def test_a_student_sees_their_own_loans_and_staff_all(library: Library) -> None:
    book = library.add(copies=2)
    mine = str(lend_one(book["id"], library.student.id))
    other = users.student()
    theirs = str(lend_one(book["id"], other.id))
    assert [loan["id"] for loan in library.get("/loans").json()["data"]] == [mine]
    assert library.get("/loans", user_id=str(other.id)).json()["data"] == []
    assert {loan["id"] for loan in library.staff_get("/loans").json()["data"]} == {mine, theirs}
    one = library.staff_get("/loans", user_id=str(other.id)).json()["data"]
    assert [loan["id"] for loan in one] == [theirs]
    assert library.get(f"/loans/{mine}").json()["data"]["book_title"] == book["title"]
    assert library.get(f"/loans/{theirs}").status_code == 404
    assert library.staff_get(f"/loans/{theirs}").status_code == 200
    assert library.get(f"/loans/{uuid4()}").status_code == 404
    assert library.api.get("/api/v1/loans").status_code == 401


def test_overdue_is_worked_out_from_the_clock(library: Library) -> None:
    book = library.add(copies=2)
    late = lend_one(book["id"], library.student.id)
    returned = lend_one(book["id"], library.student.id)
    assert library.get("/loans", overdue=True).json()["data"] == []
    with database.transaction() as session:
        custody.collect(session, returned)
    event_runner.advance_clock(timedelta(days=60))
    staff = users.librarian()  # the tokens from before have expired

    def found(**params: object) -> list[tuple[str, bool]]:
        answer = library.api.get("/api/v1/loans", params=params, headers=staff.headers)
        return [(loan["id"], loan["overdue"]) for loan in answer.json()["data"]]

    assert found(overdue=True) == [(str(late), True)]
    assert found(overdue=False) == [(str(returned), False)]
    assert found(status="RETURNED") == [(str(returned), False)]
    assert found(status="ACTIVE", sort="due_at") == [(str(late), True)]


def test_a_wrong_filter_of_loans_is_refused(library: Library) -> None:
    for wrong in ({"status": "GONE"}, {"overdue": "x"}, {"user_id": "x"}, {"sort": "title"}):
        assert library.staff_get("/loans", **wrong).status_code == 422
