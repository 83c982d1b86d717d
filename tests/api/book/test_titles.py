"""Adding, reading, changing and withdrawing titles."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, select, text

from backend.shared.domain import custody
from backend.shared.infra import database
from backend.shared.models import AuditLog, OutboxEvent
from tests.api.book.catalogue_client import BOOK, Library, without_isbn


def _events(book_id: str) -> list[str]:
    with database.transaction() as session:
        found = session.execute(
            select(OutboxEvent.event_type)
            .where(OutboxEvent.aggregate_id == book_id)
            .order_by(OutboxEvent.seq)
        )
        return list(found.scalars())


def _audited(resource_id: str) -> list[str]:
    with database.transaction() as session:
        found = session.execute(
            select(AuditLog.action)
            .where(AuditLog.resource_id == resource_id)
            .order_by(AuditLog.created_at)
        )
        return list(found.scalars())


def test_a_new_title_gets_its_copies_with_barcodes(library: Library) -> None:
    answer = library.create({**BOOK, "copies": 3})
    book = answer.json()["data"]
    assert answer.headers["Location"] == f"/api/v1/books/{book['id']}"
    assert (book["copies_total"], book["copies_available"], book["status"]) == (3, 3, "AVAILABLE")
    barcodes = {copy["barcode"] for copy in book["copies"]}
    assert len(barcodes) == 3
    assert all(len(code) == 11 and code.startswith("LB") for code in barcodes)
    assert {copy["shelf_location"] for copy in book["copies"]} == {"A-01-6"}


def test_a_title_has_one_copy_unless_told_otherwise(library: Library) -> None:
    assert library.add()["copies_total"] == 1
    none = library.add(isbn=None, copies=0)
    assert (none["copies_total"], none["status"]) == (0, "UNAVAILABLE")


def test_what_is_added_can_be_read_by_a_student(library: Library) -> None:
    book = library.add()
    answer = library.get(f"/books/{book['id']}")
    assert answer.json()["data"] == book
    assert answer.headers["ETag"] == '"1"'


def test_an_isbn_is_kept_as_thirteen_digits(library: Library) -> None:
    book = library.add(isbn=None)
    for spelling in ("0201835959", "0-201-83595-9", "978-0-201-83595-3", "9780201835953"):
        changed = library.change(book["id"], {"isbn": spelling}).json()["data"]
        assert changed["isbn"] == "9780201835953", spelling


def test_an_isbn_with_a_wrong_check_digit_is_refused(library: Library) -> None:
    for wrong in ("0201835958", "12345", "9.78020E+12", "9780201835954", "isbn", "٠٢٠١٨٣٥٩٥٩"):
        answer = library.create({**BOOK, "isbn": wrong})
        assert answer.status_code == 422, wrong
        assert list(answer.json()["error"]["details"]["fields"]) == ["isbn"]


def test_the_same_isbn_in_another_spelling_is_taken(library: Library) -> None:
    library.add(isbn="0201835959")
    answer = library.create({**BOOK, "isbn": "978-0-201-83595-3"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ISBN_TAKEN")


def test_of_many_who_add_the_same_isbn_at_once_one_succeeds(library: Library) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: library.create(BOOK).status_code, range(8)))
    assert sorted(answers) == [201] + [409] * 7


def test_the_same_idempotency_key_adds_one_title(library: Library) -> None:
    first, again = (library.create(BOOK, Idempotency_Key="k1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["data"]["id"] == again.json()["data"]["id"]
    other = library.create(without_isbn(), Idempotency_Key="k1")
    assert other.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_a_change_leaves_the_other_fields_as_they_were(library: Library) -> None:
    book = library.add()
    answer = library.change(book["id"], {"publication_year": 1975, "publisher": None})
    changed = answer.json()["data"]
    assert (changed["publication_year"], changed["publisher"]) == (1975, None)
    assert (changed["title"], changed["subjects"]) == (book["title"], book["subjects"])
    assert answer.headers["ETag"] == '"2"'
    assert library.read(book["id"]) == changed


def test_a_change_that_stands_already_writes_nothing(library: Library) -> None:
    book = library.add()
    answer = library.change(book["id"], {"title": BOOK["title"], "isbn": "0201835959"})
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    assert _events(book["id"]) == ["catalog.book.added"]


def test_a_stale_if_match_changes_nothing(library: Library) -> None:
    book = library.add()
    tag = library.get(f"/books/{book['id']}").headers["ETag"]
    assert library.change(book["id"], {"title": "Mine"}, If_Match=tag).status_code == 200
    late = library.change(book["id"], {"title": "Yours"}, If_Match=tag)
    assert (late.status_code, late.json()["error"]["code"]) == (412, "STALE_VERSION")
    assert library.read(book["id"])["title"] == "Mine"


def test_a_title_may_not_lose_what_it_needs(library: Library) -> None:
    book = library.add()
    for body in ({"title": None}, {"title": "  "}, {"author": None}, {"subjects": None}):
        assert library.change(book["id"], body).status_code == 422


def test_a_change_can_not_take_anothers_isbn(library: Library) -> None:
    library.add()
    other = library.add(isbn=None, title="Peopleware")
    answer = library.change(other["id"], {"isbn": BOOK["isbn"]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ISBN_TAKEN")


def test_a_withdrawn_title_is_gone_but_its_history_stays(library: Library, owner: Engine) -> None:
    book = library.add(copies=2)
    answer = library.delete(f"/books/{book['id']}")
    assert (answer.status_code, answer.json()["data"]) == (200, None)
    assert library.get(f"/books/{book['id']}").status_code == 404
    assert library.get(f"/books/{book['id']}/availability").status_code == 404
    assert library.change(book["id"], {"title": "Back"}).status_code == 404
    assert library.delete(f"/books/{book['id']}").status_code == 404
    assert library.titles(q="mythical") == []
    with owner.connect() as connection:
        kept = connection.execute(text("SELECT count(*), min(condition) FROM copies")).one()
    assert tuple(kept) == (2, "WITHDRAWN")
    assert library.add()["isbn"] == book["isbn"]  # its ISBN is free again


def test_a_title_with_a_reserved_copy_can_not_be_withdrawn(library: Library) -> None:
    book = library.add(copies=2)
    with database.transaction() as session:
        custody.reserve_any(session, book["id"])
    answer = library.delete(f"/books/{book['id']}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "BOOK_IN_USE")
    assert library.read(book["id"])["copies_available"] == 1


def test_every_change_is_told_and_audited(library: Library) -> None:
    book = library.add()
    library.change(book["id"], {"title": "Another"})
    library.delete(f"/books/{book['id']}")
    kinds = ["added", "updated", "removed"]
    assert _events(book["id"]) == [f"catalog.book.{kind}" for kind in kinds]
    assert _audited(book["id"]) == ["book.create", "book.update", "book.withdraw"]


def test_a_student_changes_nothing(library: Library) -> None:
    one = f"/api/v1/books/{library.add()['id']}"
    for method, path in (("POST", "/api/v1/books"), ("PUT", one), ("DELETE", one)):
        answer = library.api.request(method, path, json={"bad": 1}, headers=library.student.headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "ROLE_NOT_ALLOWED")
        assert library.api.request(method, path).status_code == 401


def test_a_value_that_no_rule_accepts_is_refused_by_name(library: Library) -> None:
    wrong: dict[str, Any]
    for wrong in (
        {"title": "x\0y"},
        {"title": 5},
        {"title": "t" * 501},
        {"author": "ℵ" * 1000},
        {"publication_year": "1995"},
        {"publication_year": 99999},
        {"publication_year": True},
        {"copies": -1},
        {"copies": 10**30},
        {"subjects": "software"},
        {"subjects": ["x"] * 51},
        {"cover_image_url": "javascript:alert(1)"},
        {"status": "AVAILABLE"},
        {"unknown": 1},
    ):
        answer = library.create({**BOOK, **wrong})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_ERROR")
        named = next(iter(answer.json()["error"]["details"]["fields"]))
        assert named.startswith(next(iter(wrong)))


def test_half_a_surrogate_pair_and_broken_json_are_refused(library: Library) -> None:
    headers = {**library.librarian.headers, "Content-Type": "application/json"}
    for body, code in ((b'{"title": "\\ud800"', 400), (b'{"title": "\\ud800"}', 422)):
        answer = library.api.post("/api/v1/books", content=body, headers=headers)
        assert answer.status_code == code, answer.text


def test_an_unknown_title_is_not_found(library: Library) -> None:
    assert library.get(f"/books/{uuid4()}").status_code == 404
    assert library.get("/books/not-an-id").status_code == 422
