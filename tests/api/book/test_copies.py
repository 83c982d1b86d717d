"""Copies: added, described, withdrawn; and where a title can be had."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from stdnum import luhn

from backend.shared.domain import custody
from backend.shared.errors import BookNotAvailable
from backend.shared.infra import clock, database
from backend.shared.models import LoanChannel, Waypoint, WaypointKind
from tests.api.book.catalogue_client import Library


def _add(library: Library, book_id: str, **body: Any) -> Any:
    path = f"/api/v1/books/{book_id}/copies"
    return library.api.post(path, json=body, headers=library.librarian.headers)


def _change(library: Library, copy: dict[str, Any], title_id: str, **body: Any) -> Any:
    path = f"/api/v1/books/{title_id}/copies/{copy['id']}"
    return library.api.put(path, json=body, headers=library.librarian.headers)


def lend_one(book_id: str, user_id: UUID) -> UUID:
    """A copy of the title goes the whole way into a student's hands; the loan."""
    with database.transaction() as session:
        copy = custody.reserve_any(session, UUID(book_id))
        custody.move(session, copy.id, custody.CustodyTransition.LOAD)
        return custody.lend(session, copy.id, user_id, LoanChannel.ROBOT).id


def test_a_copy_added_later_counts(library: Library) -> None:
    book = library.add(copies=0)
    library.read(book["id"])
    answer = _add(library, book["id"], shelf_location="B-1", note="gift")
    copy = answer.json()["data"]
    assert answer.headers["Location"] == f"/api/v1/books/{book['id']}/copies/{copy['id']}"
    assert (copy["custody"], copy["condition"], copy["shelf_location"]) == ("ON_SHELF", "OK", "B-1")
    read = library.read(book["id"])
    assert (read["copies_total"], read["copies_available"], read["status"]) == (1, 1, "AVAILABLE")
    listed = library.staff_get(f"/books/{book['id']}/copies").json()["data"]
    assert listed == [copy]


def test_a_barcode_checks_itself_and_is_unique(library: Library) -> None:
    book = library.add()
    code = book["copies"][0]["barcode"]
    assert luhn.is_valid(code.removeprefix("LB"))
    assert _add(library, book["id"], barcode="old-77").json()["data"]["barcode"] == "OLD-77"
    for taken in (code, "Old-77"):
        answer = _add(library, book["id"], barcode=taken)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")
    for wrong in ("", "two words", "ä", "x" * 65, None, 5):
        status = _add(library, book["id"], barcode=wrong).status_code
        assert status == (201 if wrong is None else 422), wrong


def test_people_decide_the_condition_and_the_title_follows(library: Library) -> None:
    book = library.add()
    copy = book["copies"][0]
    changed = _change(library, copy, book["id"], condition="DAMAGED", note="wet").json()["data"]
    assert (changed["condition"], changed["note"], changed["version"]) == ("DAMAGED", "wet", 2)
    assert library.read(book["id"])["status"] == "UNAVAILABLE"
    assert library.titles(available=True) == []
    again = _change(library, copy, book["id"], condition="DAMAGED")
    assert (again.status_code, again.json()["data"]["version"]) == (200, 2)


def test_nobody_decides_where_a_copy_is(library: Library) -> None:
    book = library.add()
    for body in ({"custody": "ON_LOAN"}, {"book_id": str(uuid4())}, {"condition": None}):
        assert _change(library, book["copies"][0], book["id"], **body).status_code == 422


def test_a_copys_home_must_be_a_workstation(library: Library) -> None:
    book = library.add()
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
        answer = _change(library, book["copies"][0], book["id"], home_workstation_id=home)
        assert answer.status_code == status


def test_a_withdrawn_copy_no_longer_counts_but_stays_listed(library: Library) -> None:
    book = library.add(copies=2)
    copy = book["copies"][0]
    path = f"/books/{book['id']}/copies/{copy['id']}"
    assert library.delete(path).json()["data"] is None
    assert library.delete(path).status_code == 200
    assert library.read(book["id"])["copies_total"] == 1
    listed = library.staff_get(f"/books/{book['id']}/copies").json()["data"]
    assert {row["barcode"]: row["condition"] for row in listed}[copy["barcode"]] == "WITHDRAWN"


def test_a_copy_that_is_out_can_not_be_withdrawn(library: Library) -> None:
    book = library.add()
    lend_one(book["id"], library.student.id)
    copy = book["copies"][0]
    answers = [
        library.delete(f"/books/{book['id']}/copies/{copy['id']}"),
        _change(library, copy, book["id"], condition="WITHDRAWN"),
        library.delete(f"/books/{book['id']}"),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "BOOK_IN_USE")


def test_a_copy_belongs_to_its_title(library: Library) -> None:
    one, other = library.add(), library.add(isbn=None)
    copy = one["copies"][0]
    assert _change(library, copy, other["id"], note="x").status_code == 404
    assert library.delete(f"/books/{other['id']}/copies/{copy['id']}").status_code == 404
    assert _add(library, str(uuid4())).status_code == 404
    assert library.staff_get(f"/books/{uuid4()}/copies").status_code == 404
    assert library.get(f"/books/{one['id']}/copies").status_code == 403


def test_availability_tells_each_copy_each_shelf_and_when_the_next_is_due(
    library: Library,
) -> None:
    book = library.add(copies=3)
    _add(library, book["id"], condition="REFERENCE_ONLY", shelf_location="REF")
    lend_one(book["id"], library.student.id)
    found = library.get(f"/books/{book['id']}/availability").json()["data"]
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
    assert due[0] > clock.iso(clock.now() + timedelta(days=20))


def test_many_librarians_adding_copies_at_once_wait_for_one_another(library: Library) -> None:
    book = library.add()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: _add(library, book["id"]).status_code, range(12)))
    assert answers == [201] * 12
    assert library.read(book["id"])["copies_total"] == 13


def test_withdrawing_and_reserving_at_once_never_both_succeed(library: Library) -> None:
    def reserve(book_id: str) -> bool:
        try:
            with database.transaction() as session:
                custody.reserve_any(session, UUID(book_id))
        except BookNotAvailable:
            return False
        return True

    for _ in range(4):
        book = library.add(isbn=None)
        with ThreadPoolExecutor(2) as pool:
            taken = pool.submit(reserve, book["id"])
            gone = pool.submit(library.delete, f"/books/{book['id']}")
            outcome = (taken.result(), gone.result().status_code)
        assert outcome in {(True, 409), (False, 200)}
