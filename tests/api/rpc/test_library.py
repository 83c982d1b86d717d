"""luna.v1.LibraryService by Connect: the rules of REST in other words."""

from typing import Any

import pytest

from tests.api.rpc.connect_json import LIBRARY, Answered, call
from tests.factories import users
from tests.factories.users import SignedInUser

_UNKNOWN = "019bc0de-7a31-7c52-9d1e-0f5c3b1a2e44"


@pytest.fixture
def librarian(api: Any) -> SignedInUser:
    return users.librarian()


@pytest.fixture
def student(api: Any) -> SignedInUser:
    return users.student()


def _book(api: Any, librarian: SignedInUser, **changes: Any) -> dict[str, Any]:
    body = {"title": "The Dispossessed", "author": "Ursula K. Le Guin", **changes}
    made = call(api, f"{LIBRARY}/CreateBook", body, librarian.headers)
    assert made.status == 200, made.body
    book: dict[str, Any] = made.body["book"]
    return book


def _borrow(api: Any, librarian: SignedInUser, member: SignedInUser, book_id: str) -> Answered:
    body = {"memberId": str(member.id), "bookId": book_id}
    return call(api, f"{LIBRARY}/BorrowBook", body, librarian.headers)


def test_created_book_is_read_and_found(api: Any, librarian: SignedInUser) -> None:
    book = _book(
        api, librarian, isbn="0-06-012563-2", copies=2, subjects=["anarchism"], publicationYear=1974
    )
    assert (book["isbn"], book["copiesTotal"]) == ("9780060125639", 2)
    assert book["status"] == "BOOK_STATUS_AVAILABLE"
    got = call(api, f"{LIBRARY}/GetBook", {"bookId": book["id"]}, librarian.headers)
    assert got.body["book"] == book
    rest = api.get(f"/api/v1/books/{book['id']}", headers=librarian.headers).json()["data"]
    for name, of_rest in (("title", "title"), ("copiesAvailable", "copies_available")):
        assert book[name] == rest[of_rest]
    for query in ({"query": "dispossessed"}, {"author": "guin"}, {"subject": "anarchism"}):
        found = call(api, f"{LIBRARY}/SearchBooks", query, librarian.headers).body
        assert [each["id"] for each in found["books"]] == [book["id"]]
        assert found["totalCount"] == 1
    late = call(api, f"{LIBRARY}/SearchBooks", {"yearFrom": 1990}, librarian.headers).body
    assert late["books"] == []


def test_taken_isbn_already_exists(api: Any, librarian: SignedInUser) -> None:
    _book(api, librarian, isbn="0-06-012563-2")
    body = {"title": "Another", "author": "A", "isbn": "978-0-06-012563-9"}
    again = call(api, f"{LIBRARY}/CreateBook", body, librarian.headers)
    assert again.code == "already_exists"
    assert again.details("ErrorInfo")["reason"] == "ISBN_TAKEN"


def test_update_changes_set_fields_and_clears_named_ones(api: Any, librarian: SignedInUser) -> None:
    book = _book(api, librarian, publisher="Harper", subjects=["utopia"], language="en")
    update = f"{LIBRARY}/UpdateBook"
    changed = call(
        api,
        update,
        {"bookId": book["id"], "shelfLocation": "B-1", "expectedVersion": book["version"]},
        librarian.headers,
    ).body["book"]
    assert (changed["shelfLocation"], changed["publisher"]) == ("B-1", "Harper")
    stale = {"bookId": book["id"], "title": "T", "expectedVersion": book["version"]}
    assert call(api, update, stale, librarian.headers).code == "aborted"
    masked = {"bookId": book["id"], "updateMask": "publisher,subjects", "language": "de"}
    cleared = call(api, update, masked, librarian.headers).body["book"]
    assert ("publisher" not in cleared, cleared["subjects"], cleared["language"]) == (
        True,
        [],
        "en",
    )
    wrong_mask = {"bookId": book["id"], "updateMask": "version"}
    assert call(api, update, wrong_mask, librarian.headers).code == "invalid_argument"
    untitled = {"bookId": book["id"], "updateMask": "title"}
    assert call(api, update, untitled, librarian.headers).code == "invalid_argument"
    unknown = {"bookId": _UNKNOWN, "title": "T"}
    assert call(api, update, unknown, librarian.headers).code == "not_found"


def test_book_is_borrowed_once_listed_and_returned(
    api: Any, librarian: SignedInUser, student: SignedInUser
) -> None:
    book = _book(api, librarian)
    record = _borrow(api, librarian, student, book["id"]).body["record"]
    assert (record["memberId"], record["channel"]) == (str(student.id), "LOAN_CHANNEL_RPC")
    refused = _borrow(api, librarian, users.student(), book["id"])
    assert (refused.status, refused.code) == (400, "failed_precondition")
    assert refused.details("ErrorInfo")["reason"] == "BOOK_NOT_AVAILABLE"
    listed = call(api, f"{LIBRARY}/ListBorrowedBooks", {"openOnly": True}, student.headers).body
    assert [each["id"] for each in listed["records"]] == [record["id"]]
    body = {"recordId": record["id"]}
    returned = call(api, f"{LIBRARY}/ReturnBook", body, librarian.headers).body
    assert returned["record"]["state"] == "LOAN_STATE_RETURNED"
    assert returned["keptForHold"] is False
    again = call(api, f"{LIBRARY}/ReturnBook", body, librarian.headers)
    assert again.code == "failed_precondition"
    assert again.details("ErrorInfo")["reason"] == "NOT_BORROWED"
    assert _borrow(api, librarian, student, book["id"]).status == 200


def test_unknown_things_are_not_found(
    api: Any, librarian: SignedInUser, student: SignedInUser
) -> None:
    book = _book(api, librarian)
    for method, body in (
        ("BorrowBook", {"memberId": _UNKNOWN, "bookId": book["id"]}),
        ("BorrowBook", {"memberId": str(student.id), "bookId": _UNKNOWN}),
        ("BorrowBook", {"memberId": str(student.id), "copyBarcode": "NONE"}),
        ("ReturnBook", {"recordId": _UNKNOWN}),
        ("ReturnBook", {"copyBarcode": "NONE"}),
        ("GetBook", {"bookId": _UNKNOWN}),
    ):
        assert call(api, f"{LIBRARY}/{method}", body, librarian.headers).code == "not_found"


def test_student_sees_own_loans_only(
    api: Any, librarian: SignedInUser, student: SignedInUser
) -> None:
    other = users.student()
    for member in (student, other):
        assert _borrow(api, librarian, member, _book(api, librarian)["id"]).status == 200
    listing = f"{LIBRARY}/ListBorrowedBooks"
    asked = {"memberId": str(other.id)}
    own = call(api, listing, asked, student.headers).body["records"]
    assert {each["memberId"] for each in own} == {str(student.id)}
    assert call(api, listing, {}, librarian.headers).body["totalCount"] == 2
    of_one = call(api, listing, asked, librarian.headers).body
    assert [each["memberId"] for each in of_one["records"]] == [str(other.id)]


def test_member_is_a_student_and_limits_hold(api: Any, librarian: SignedInUser) -> None:
    body = {"email": "kiosk@university.edu", "firstName": "Kay", "lastName": "Osk"}
    admin = users.admin()
    member = call(api, f"{LIBRARY}/CreateMember", body, librarian.headers).body["member"]
    user = api.get(f"/api/v1/auth/users/{member['id']}", headers=admin.headers).json()["data"]
    assert (user["role"], user["email"]) == ("STUDENT", "kiosk@university.edu")
    again = call(api, f"{LIBRARY}/CreateMember", body, admin.headers)
    assert again.code == "already_exists"
    assert again.details("ErrorInfo")["reason"] == "EMAIL_TAKEN"


def test_every_write_is_audited_with_its_request(api: Any, librarian: SignedInUser) -> None:
    _book(api, librarian)
    logs = api.get("/api/v1/auth/audit-logs?action=book.create", headers=users.admin().headers)
    (entry,) = logs.json()["data"]
    assert entry["user_id"] == str(librarian.id)
    assert entry["request_id"].startswith("req_")
