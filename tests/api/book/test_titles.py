"""Books: create, read, update, withdraw."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, select, text

from backend.shared.domain.circulation import custody
from backend.shared.infra import database
from backend.shared.models import AuditLog, OutboxEvent
from tests.api.book.catalogue_client import BOOK, CatalogueClient, body_without_isbn


def _published_events(book_id: str) -> list[str]:
    with database.transaction() as session:
        found = session.execute(
            select(OutboxEvent.event_type)
            .where(OutboxEvent.aggregate_id == book_id)
            .order_by(OutboxEvent.seq)
        )
        return list(found.scalars())


def _audit_actions(resource_id: str) -> list[str]:
    with database.transaction() as session:
        found = session.execute(
            select(AuditLog.action)
            .where(AuditLog.resource_id == resource_id)
            .order_by(AuditLog.created_at)
        )
        return list(found.scalars())


def test_create_book_adds_copies_with_barcodes(catalogue: CatalogueClient) -> None:
    response = catalogue.create({**BOOK, "copies": 3})
    book = response.json()["data"]
    assert response.headers["Location"] == f"/api/v1/books/{book['id']}"
    assert (book["copies_total"], book["copies_available"], book["status"]) == (3, 3, "AVAILABLE")
    barcodes = {copy["barcode"] for copy in book["copies"]}
    assert len(barcodes) == 3
    assert all(len(code) == 11 and code.startswith("LB") for code in barcodes)
    assert {copy["shelf_location"] for copy in book["copies"]} == {"A-01-6"}


def test_create_book_adds_one_copy_by_default(catalogue: CatalogueClient) -> None:
    assert catalogue.add()["copies_total"] == 1
    none = catalogue.add(isbn=None, copies=0)
    assert (none["copies_total"], none["status"]) == (0, "UNAVAILABLE")


def test_student_reads_created_book(catalogue: CatalogueClient) -> None:
    book = catalogue.add()
    response = catalogue.get(f"/books/{book['id']}")
    assert response.json()["data"] == book
    assert response.headers["ETag"] == '"1"'


def test_isbn_is_stored_as_isbn13(catalogue: CatalogueClient) -> None:
    book = catalogue.add(isbn=None)
    for spelling in ("0201835959", "0-201-83595-9", "978-0-201-83595-3", "9780201835953"):
        changed = catalogue.change(book["id"], {"isbn": spelling}).json()["data"]
        assert changed["isbn"] == "9780201835953", spelling


def test_invalid_isbn_is_refused(catalogue: CatalogueClient) -> None:
    for wrong in ("0201835958", "12345", "9.78020E+12", "9780201835954", "isbn", "٠٢٠١٨٣٥٩٥٩"):
        response = catalogue.create({**BOOK, "isbn": wrong})
        assert response.status_code == 422, wrong
        assert list(response.json()["error"]["details"]["fields"]) == ["isbn"]


def test_isbn_is_unique_in_any_spelling(catalogue: CatalogueClient) -> None:
    catalogue.add(isbn="0201835959")
    response = catalogue.create({**BOOK, "isbn": "978-0-201-83595-3"})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "ISBN_TAKEN")


def test_concurrent_creations_of_one_isbn_succeed_once(catalogue: CatalogueClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: catalogue.create(BOOK).status_code, range(8)))
    assert sorted(statuses) == [201] + [409] * 7


def test_same_idempotency_key_creates_one_book(catalogue: CatalogueClient) -> None:
    first, again = (catalogue.create(BOOK, Idempotency_Key="k1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["data"]["id"] == again.json()["data"]["id"]
    other = catalogue.create(body_without_isbn(), Idempotency_Key="k1")
    assert other.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_update_keeps_omitted_fields(catalogue: CatalogueClient) -> None:
    book = catalogue.add()
    response = catalogue.change(book["id"], {"publication_year": 1975, "publisher": None})
    changed = response.json()["data"]
    assert (changed["publication_year"], changed["publisher"]) == (1975, None)
    assert (changed["title"], changed["subjects"]) == (book["title"], book["subjects"])
    assert response.headers["ETag"] == '"2"'
    assert catalogue.read(book["id"]) == changed


def test_update_without_difference_writes_nothing(catalogue: CatalogueClient) -> None:
    book = catalogue.add()
    response = catalogue.change(book["id"], {"title": BOOK["title"], "isbn": "0201835959"})
    assert (response.status_code, response.headers["ETag"]) == (200, '"1"')
    assert _published_events(book["id"]) == ["catalog.book.added"]


def test_stale_if_match_is_refused(catalogue: CatalogueClient) -> None:
    book = catalogue.add()
    tag = catalogue.get(f"/books/{book['id']}").headers["ETag"]
    assert catalogue.change(book["id"], {"title": "Mine"}, If_Match=tag).status_code == 200
    late = catalogue.change(book["id"], {"title": "Yours"}, If_Match=tag)
    assert (late.status_code, late.json()["error"]["code"]) == (412, "STALE_VERSION")
    assert catalogue.read(book["id"])["title"] == "Mine"


def test_required_fields_cannot_be_cleared(catalogue: CatalogueClient) -> None:
    book = catalogue.add()
    for body in ({"title": None}, {"title": "  "}, {"author": None}, {"subjects": None}):
        assert catalogue.change(book["id"], body).status_code == 422


def test_update_refuses_isbn_of_another_book(catalogue: CatalogueClient) -> None:
    catalogue.add()
    other = catalogue.add(isbn=None, title="Peopleware")
    response = catalogue.change(other["id"], {"isbn": BOOK["isbn"]})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "ISBN_TAKEN")


def test_withdrawn_book_is_not_found_but_its_copies_stay(
    catalogue: CatalogueClient, owner: Engine
) -> None:
    book = catalogue.add(copies=2)
    response = catalogue.delete(f"/books/{book['id']}")
    assert (response.status_code, response.json()["data"]) == (200, None)
    assert catalogue.get(f"/books/{book['id']}").status_code == 404
    assert catalogue.get(f"/books/{book['id']}/availability").status_code == 404
    assert catalogue.change(book["id"], {"title": "Back"}).status_code == 404
    assert catalogue.delete(f"/books/{book['id']}").status_code == 404
    assert catalogue.titles(q="mythical") == []
    with owner.connect() as connection:
        kept = connection.execute(text("SELECT count(*), min(condition) FROM copies")).one()
    assert tuple(kept) == (2, "WITHDRAWN")
    assert catalogue.add()["isbn"] == book["isbn"]  # its ISBN is available again


def test_book_with_reserved_copy_cannot_be_withdrawn(catalogue: CatalogueClient) -> None:
    book = catalogue.add(copies=2)
    with database.transaction() as session:
        custody.reserve_any(session, book["id"])
    response = catalogue.delete(f"/books/{book['id']}")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "BOOK_IN_USE")
    assert catalogue.read(book["id"])["copies_available"] == 1


def test_every_change_is_published_and_audit_actions(catalogue: CatalogueClient) -> None:
    book = catalogue.add()
    catalogue.change(book["id"], {"title": "Another"})
    catalogue.delete(f"/books/{book['id']}")
    kinds = ["added", "updated", "removed"]
    assert _published_events(book["id"]) == [f"catalog.book.{kind}" for kind in kinds]
    assert _audit_actions(book["id"]) == ["book.create", "book.update", "book.withdraw"]


def test_student_cannot_change_catalogue(catalogue: CatalogueClient) -> None:
    one = f"/api/v1/books/{catalogue.add()['id']}"
    for method, path in (("POST", "/api/v1/books"), ("PUT", one), ("DELETE", one)):
        response = catalogue.api.request(
            method, path, json={"bad": 1}, headers=catalogue.student.headers
        )
        assert (response.status_code, response.json()["error"]["code"]) == (403, "ROLE_NOT_ALLOWED")
        assert catalogue.api.request(method, path).status_code == 401


def test_invalid_value_is_refused_by_field(catalogue: CatalogueClient) -> None:
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
        response = catalogue.create({**BOOK, **wrong})
        assert (response.status_code, response.json()["error"]["code"]) == (422, "VALIDATION_ERROR")
        named = next(iter(response.json()["error"]["details"]["fields"]))
        assert named.startswith(next(iter(wrong)))


def test_unpaired_surrogate_and_malformed_json_are_refused(catalogue: CatalogueClient) -> None:
    headers = {**catalogue.librarian.headers, "Content-Type": "application/json"}
    for body, code in ((b'{"title": "\\ud800"', 400), (b'{"title": "\\ud800"}', 422)):
        response = catalogue.api.post("/api/v1/books", content=body, headers=headers)
        assert response.status_code == code, response.text


def test_unknown_book_is_not_found(catalogue: CatalogueClient) -> None:
    assert catalogue.get(f"/books/{uuid4()}").status_code == 404
    assert catalogue.get("/books/not-an-id").status_code == 422
