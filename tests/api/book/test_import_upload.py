"""What may be handed in for import, by whom, and what is refused at once."""

from tests.api.book.catalogue_client import Library
from tests.api.book.import_client import GOOD, HEAD, PATH, counts, hand_in, import_file, import_text


def test_what_is_no_table_of_books_is_refused_at_once(library: Library) -> None:
    for name, content, status in (
        ("books.xlsx", b"PK\x03\x04rest", 415),
        ("books.csv", b"PK\x03\x04rest", 415),
        ("books.mrc", b"00714cam a2200205 a 4500", 415),
        ("books", b"00714cam a2200205 a 4500", 415),
        ("books.xml", b"<collection/>", 415),
        ("books.jsonl", b'{"title": "x"}', 415),
        ("books.csv", "title,author".encode("utf-16"), 415),
        ("books.csv", b"title,author\0", 415),
        ("books.csv", b"", 422),
        ("books.csv", b" \n \n", 422),
        ("books.csv", b"name,writer\nx,y", 422),
        ("books.csv", b"title,isbn\nx,y", 422),
        ("books.csv", b'"' + b"x" * 200_000, 422),
    ):
        answer = hand_in(library, name, content)
        assert answer.status_code == status, (name, content[:30], answer.text)


def test_a_body_of_another_kind_is_refused(library: Library) -> None:
    headers = library.librarian.headers
    for body, kind, status, code in (
        (b"title,author", "text/csv", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{", "application/json", 400, "MALFORMED_JSON"),
        (b"[" * 5000, "application/json", 400, "MALFORMED_JSON"),
        (b"[]", "application/json", 422, "VALIDATION_ERROR"),
        (b'{"books": []}', "application/json", 422, "VALIDATION_ERROR"),
        (b'{"books": {}}', "application/json", 422, "VALIDATION_ERROR"),
        (b'{"books": [{}], "x": 1}', "application/json", 422, "VALIDATION_ERROR"),
        (b'{"books": [{}], "dry_run": 1}', "application/json", 422, "VALIDATION_ERROR"),
        (b'{"books": [NaN]}', "application/json", 400, "MALFORMED_JSON"),
    ):
        answer = library.api.post(PATH, content=body, headers={**headers, "Content-Type": kind})
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), body[:30]
    for form in ({"format": "XLSX"}, {"format": "csw"}, {"dry_run": "perhaps"}, {"x": "1"}):
        status = hand_in(library, "b.csv", b"title,author\nx,y", **form).status_code
        assert status == (415 if form.get("format") == "XLSX" else 422)
    assert library.api.post(PATH, data={"file": "x"}, headers=headers).status_code == 415
    no_file = library.api.post(PATH, files={"other": b"x"}, headers=headers)
    assert no_file.status_code == 422


def test_only_staff_import_and_nobody_else_is_even_read(library: Library) -> None:
    for headers, status in (({}, 401), (library.student.headers, 403)):
        answer = library.api.post(PATH, content=b"{", headers=headers)
        assert answer.status_code == status
    job = import_text(library, HEAD, GOOD)
    for path in (f"/books/bulk-import/{job['id']}", f"/books/bulk-import/{job['id']}/rows"):
        assert library.get(path).status_code == 403
        assert library.staff_get(path.replace(job["id"][:8], "00000000")).status_code == 404


def test_the_same_idempotency_key_makes_one_job(library: Library) -> None:
    headers = {**library.librarian.headers, "Idempotency-Key": "once"}
    body = {"books": [{"title": "Emma", "author": "Jane Austen"}]}
    first, again = (library.api.post(PATH, json=body, headers=headers) for _ in range(2))
    assert (first.status_code, first.json()["data"]) == (202, again.json()["data"])


def test_a_body_over_one_mebibyte_is_taken_here(library: Library) -> None:
    row = f"{'x' * 50},Someone,,1900,{'y' * 9000}\n"
    content = "title,author,isbn,year,description\n" + row * 150
    job = import_file(library, "big.csv", content.encode())
    assert (job["total"], counts(job)) == (150, (1, 0, 149, 0))
