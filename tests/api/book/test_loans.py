"""Loans: visibility and filters."""

from datetime import timedelta
from uuid import uuid4

from backend.shared.domain.circulation import loans
from backend.shared.infra import database
from tests import event_runner
from tests.api.book.catalogue_client import CatalogueClient
from tests.api.book.test_copies import lend_copy
from tests.factories import users


def test_student_sees_own_loans_and_staff_all(catalogue: CatalogueClient) -> None:
    book = catalogue.add(copies=2)
    own = str(lend_copy(book["id"], catalogue.student.id))
    other = users.student()
    others = str(lend_copy(book["id"], other.id))
    assert [loan["id"] for loan in catalogue.get("/loans").json()["data"]] == [own]
    assert catalogue.get("/loans", user_id=str(other.id)).json()["data"] == []
    assert {loan["id"] for loan in catalogue.staff_get("/loans").json()["data"]} == {own, others}
    one = catalogue.staff_get("/loans", user_id=str(other.id)).json()["data"]
    assert [loan["id"] for loan in one] == [others]
    assert catalogue.get(f"/loans/{own}").json()["data"]["book_title"] == book["title"]
    assert catalogue.get(f"/loans/{others}").status_code == 404
    assert catalogue.staff_get(f"/loans/{others}").status_code == 200
    assert catalogue.get(f"/loans/{uuid4()}").status_code == 404
    assert catalogue.api.get("/api/v1/loans").status_code == 401


def test_overdue_is_computed_from_clock(catalogue: CatalogueClient) -> None:
    book = catalogue.add(copies=2)
    late = lend_copy(book["id"], catalogue.student.id)
    returned = lend_copy(book["id"], catalogue.student.id)
    assert catalogue.get("/loans", overdue=True).json()["data"] == []
    with database.transaction() as session:
        loans.collect(session, returned)
    event_runner.advance_clock(timedelta(days=60))
    staff = users.librarian()  # earlier tokens have expired

    def found(**params: object) -> list[tuple[str, bool]]:
        response = catalogue.api.get("/api/v1/loans", params=params, headers=staff.headers)
        return [(loan["id"], loan["overdue"]) for loan in response.json()["data"]]

    assert found(overdue=True) == [(str(late), True)]
    assert found(overdue=False) == [(str(returned), False)]
    assert found(status="RETURNED") == [(str(returned), False)]
    assert found(status="ACTIVE", sort="due_at") == [(str(late), True)]


def test_invalid_loan_filter_is_refused(catalogue: CatalogueClient) -> None:
    for wrong in ({"status": "GONE"}, {"overdue": "x"}, {"user_id": "x"}, {"sort": "title"}):
        assert catalogue.staff_get("/loans", **wrong).status_code == 422
