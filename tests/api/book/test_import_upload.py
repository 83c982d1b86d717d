"""Uploads for import: accepted and refused bodies, access."""

from tests.api.book.catalogue_client import CatalogueClient
from tests.api.book.import_client import (
    EMMA,
    HEADER,
    PATH,
    import_file,
    import_text,
    outcome_counts,
    upload,
)


def test_unsupported_file_is_refused(catalogue: CatalogueClient) -> None:
    for name, content, status in (
        ("books.xlsx", b"PK\x03\x04rest", 415),
        ("books.csv", b"PK\x03\x04rest", 415),
        ("books.pdf", b"%PDF", 415),
        ("books.ods", b"x", 415),
        ("books.csv", "title,author".encode("utf-16"), 415),
        ("books.csv", b"title,author\0", 415),
        ("books.csv", b"", 422),
        ("books.csv", b" \n \n", 422),
        ("books.csv", b"name,writer\nx,y", 422),
        ("books.csv", b"author,isbn\nx,y", 422),
        ("books.csv", b'"' + b"x" * 200_000, 422),
    ):
        response = upload(catalogue, name, content)
        assert response.status_code == status, (name, content[:30], response.text)


def test_unsupported_or_invalid_body_is_refused(catalogue: CatalogueClient) -> None:
    headers = catalogue.librarian.headers
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
        response = catalogue.api.post(PATH, content=body, headers={**headers, "Content-Type": kind})
        assert (response.status_code, response.json()["error"]["code"]) == (status, code), body[:30]
    for form in ({"format": "XLSX"}, {"format": "csw"}, {"dry_run": "perhaps"}, {"x": "1"}):
        status = upload(catalogue, "b.csv", b"title,author\nx,y", **form).status_code
        assert status == (415 if form.get("format") == "XLSX" else 422)
    assert catalogue.api.post(PATH, data={"file": "x"}, headers=headers).status_code == 415
    no_file = catalogue.api.post(PATH, files={"other": b"x"}, headers=headers)
    assert no_file.status_code == 422


def test_only_staff_may_import(catalogue: CatalogueClient) -> None:
    for headers, status in (({}, 401), (catalogue.student.headers, 403)):
        response = catalogue.api.post(PATH, content=b"{", headers=headers)
        assert response.status_code == status
    job = import_text(catalogue, HEADER, EMMA)
    for path in (f"/books/bulk-import/{job['id']}", f"/books/bulk-import/{job['id']}/rows"):
        assert catalogue.get(path).status_code == 403
        assert catalogue.staff_get(path.replace(job["id"][:8], "00000000")).status_code == 404


def test_same_idempotency_key_creates_one_job(catalogue: CatalogueClient) -> None:
    headers = {**catalogue.librarian.headers, "Idempotency-Key": "once"}
    body = {"books": [{"title": "Emma", "author": "Jane Austen"}]}
    first, again = (catalogue.api.post(PATH, json=body, headers=headers) for _ in range(2))
    assert (first.status_code, first.json()["data"]) == (202, again.json()["data"])


def test_import_accepts_body_over_one_mebibyte(catalogue: CatalogueClient) -> None:
    row = f"{'x' * 50},Someone,,1900,{'y' * 9000}\n"
    content = "title,author,isbn,year,description\n" + row * 150
    job = import_file(catalogue, "big.csv", content.encode())
    assert (job["total"], outcome_counts(job)) == (150, (1, 0, 149, 0))
