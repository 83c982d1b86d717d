"""Copies: create, update, withdraw; availability of a book."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

from stdnum import luhn

from backend.shared.domain.circulation import custody, loans
from backend.shared.errors import BookNotAvailable
from backend.shared.infra import database
from backend.shared.models import LoanChannel, Waypoint, WaypointKind
from tests.api.book.catalogue_client import CatalogueClient


def _create_copy(catalogue: CatalogueClient, book_id: str, **body: Any) -> Any:
    path = f"/api/v1/books/{book_id}/copies"
    return catalogue.api.post(path, json=body, headers=catalogue.librarian.headers)


def _update_copy(
    catalogue: CatalogueClient, copy: dict[str, Any], title_id: str, **body: Any
) -> Any:
    path = f"/api/v1/books/{title_id}/copies/{copy['id']}"
    return catalogue.api.put(path, json=body, headers=catalogue.librarian.headers)


def lend_copy(book_id: str, user_id: UUID) -> UUID:
    """Deliver a copy to a user by robot and return the loan id."""
    with database.transaction() as session:
        copy = custody.reserve_any(session, UUID(book_id))
        custody.move(session, copy.id, custody.CustodyTransition.LOAD)
        return loans.lend(session, copy.id, user_id, LoanChannel.ROBOT).id


def test_added_copy_is_counted_and_listed(catalogue: CatalogueClient) -> None:
    book = catalogue.add(copies=0)
    catalogue.read(book["id"])
    response = _create_copy(catalogue, book["id"], shelf_location="B-1", note="gift")
    copy = response.json()["data"]
    assert response.headers["Location"] == f"/api/v1/books/{book['id']}/copies/{copy['id']}"
    assert (copy["custody"], copy["condition"], copy["shelf_location"]) == ("ON_SHELF", "OK", "B-1")
    read = catalogue.read(book["id"])
    assert (read["copies_total"], read["copies_available"], read["status"]) == (1, 1, "AVAILABLE")
    listed = catalogue.staff_get(f"/books/{book['id']}/copies").json()["data"]
    assert listed == [copy]


def test_barcode_has_check_digit_and_is_unique(catalogue: CatalogueClient) -> None:
    book = catalogue.add()
    code = book["copies"][0]["barcode"]
    assert luhn.is_valid(code.removeprefix("LB"))
    assert (
        _create_copy(catalogue, book["id"], barcode="old-77").json()["data"]["barcode"] == "OLD-77"
    )
    for taken in (code, "Old-77"):
        response = _create_copy(catalogue, book["id"], barcode=taken)
        assert (response.status_code, response.json()["error"]["code"]) == (409, "CONFLICT")
    for wrong in ("", "two words", "ä", "x" * 65, None, 5):
        status = _create_copy(catalogue, book["id"], barcode=wrong).status_code
        assert status == (201 if wrong is None else 422), wrong


def test_condition_determines_status_of_book(catalogue: CatalogueClient) -> None:
    book = catalogue.add()
    copy = book["copies"][0]
    changed = _update_copy(catalogue, copy, book["id"], condition="DAMAGED", note="wet").json()[
        "data"
    ]
    assert (changed["condition"], changed["note"], changed["version"]) == ("DAMAGED", "wet", 2)
    assert catalogue.read(book["id"])["status"] == "UNAVAILABLE"
    assert catalogue.titles(available=True) == []
    again = _update_copy(catalogue, copy, book["id"], condition="DAMAGED")
    assert (again.status_code, again.json()["data"]["version"]) == (200, 2)


def test_update_refuses_custody_and_title_of_copy(catalogue: CatalogueClient) -> None:
    book = catalogue.add()
    for body in ({"custody": "ON_LOAN"}, {"book_id": str(uuid4())}, {"condition": None}):
        assert _update_copy(catalogue, book["copies"][0], book["id"], **body).status_code == 422


def test_home_of_copy_must_be_workstation(catalogue: CatalogueClient) -> None:
    book = catalogue.add()
    with database.transaction() as session:
        places = [
            Waypoint(
                name=f"P{n}",
                location_code=f"P-{n}",
                kind=kind,
                floor=1,
                x_coordinate=n,
                y_coordinate=n,
            )
            for n, kind in enumerate((WaypointKind.WORKSTATION, WaypointKind.DOCK))
        ]
        session.add_all(places)
        session.flush()
        desk, dock = (str(place.id) for place in places)
    for home, status in ((desk, 200), (dock, 422), (str(uuid4()), 422)):
        response = _update_copy(catalogue, book["copies"][0], book["id"], home_workstation_id=home)
        assert response.status_code == status


def test_withdrawn_copy_is_listed_but_not_counted(catalogue: CatalogueClient) -> None:
    book = catalogue.add(copies=2)
    copy = book["copies"][0]
    path = f"/books/{book['id']}/copies/{copy['id']}"
    assert catalogue.delete(path).json()["data"] is None
    assert catalogue.delete(path).status_code == 200
    assert catalogue.read(book["id"])["copies_total"] == 1
    listed = catalogue.staff_get(f"/books/{book['id']}/copies").json()["data"]
    assert {row["barcode"]: row["condition"] for row in listed}[copy["barcode"]] == "WITHDRAWN"


def test_copy_on_loan_cannot_be_withdrawn(catalogue: CatalogueClient) -> None:
    book = catalogue.add()
    lend_copy(book["id"], catalogue.student.id)
    copy = book["copies"][0]
    responses = [
        catalogue.delete(f"/books/{book['id']}/copies/{copy['id']}"),
        _update_copy(catalogue, copy, book["id"], condition="WITHDRAWN"),
        catalogue.delete(f"/books/{book['id']}"),
    ]
    for response in responses:
        assert (response.status_code, response.json()["error"]["code"]) == (409, "BOOK_IN_USE")


def test_copy_is_not_found_under_another_book(catalogue: CatalogueClient) -> None:
    one, other = catalogue.add(), catalogue.add(isbn=None)
    copy = one["copies"][0]
    assert _update_copy(catalogue, copy, other["id"], note="x").status_code == 404
    assert catalogue.delete(f"/books/{other['id']}/copies/{copy['id']}").status_code == 404
    assert _create_copy(catalogue, str(uuid4())).status_code == 404
    assert catalogue.staff_get(f"/books/{uuid4()}/copies").status_code == 404
    assert catalogue.get(f"/books/{one['id']}/copies").status_code == 403


def test_availability_lists_copies_shelves_and_next_due_date(
    catalogue: CatalogueClient,
) -> None:
    book = catalogue.add(copies=3)
    _create_copy(catalogue, book["id"], condition="REFERENCE_ONLY", shelf_location="REF")
    lend_copy(book["id"], catalogue.student.id)
    found = catalogue.get(f"/books/{book['id']}/availability").json()["data"]
    assert (found["available"], found["copies_total"], found["copies_available"]) == (True, 4, 2)
    assert (found["status"], found["holds_waiting"]) == ("AVAILABLE", 0)
    assert sorted(copy["status"] for copy in found["copies"]) == [
        "AVAILABLE",
        "AVAILABLE",
        "CHECKED_OUT",
        "UNAVAILABLE",
    ]
    shelves = {
        (shelf["shelf_location"], shelf["status"]): shelf["copies"] for shelf in found["shelves"]
    }
    assert shelves == {
        ("A-01-6", "AVAILABLE"): 2,
        ("A-01-6", "CHECKED_OUT"): 1,
        ("REF", "UNAVAILABLE"): 1,
    }
    due = [copy["due_at"] for copy in found["copies"] if copy["status"] == "CHECKED_OUT"]
    assert [found["next_due_at"]] == due
    assert due == [catalogue.get("/loans").json()["data"][0]["due_at"]]


def test_concurrent_copy_creations_all_succeed(catalogue: CatalogueClient) -> None:
    book = catalogue.add()
    with ThreadPoolExecutor(6) as pool:
        responses = list(
            pool.map(lambda _: _create_copy(catalogue, book["id"]).status_code, range(12))
        )
    assert responses == [201] * 12
    assert catalogue.read(book["id"])["copies_total"] == 13


def test_concurrent_withdrawal_and_reservation_never_both_succeed(
    catalogue: CatalogueClient,
) -> None:
    def reserve(book_id: str) -> bool:
        try:
            with database.transaction() as session:
                custody.reserve_any(session, UUID(book_id))
        except BookNotAvailable:
            return False
        return True

    for _ in range(4):
        book = catalogue.add(isbn=None)
        with ThreadPoolExecutor(2) as pool:
            taken = pool.submit(reserve, book["id"])
            gone = pool.submit(catalogue.delete, f"/books/{book['id']}")
            outcome = (taken.result(), gone.result().status_code)
        assert outcome in {(True, 409), (False, 200)}
