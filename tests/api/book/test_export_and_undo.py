"""Exports that can be imported again, and taking an import back."""

import csv
from typing import Any

import pytest

from backend.shared.domain.circulation import custody
from backend.shared.infra import database
from tests.api.book.catalogue_client import BOOK, CatalogueClient
from tests.api.book.import_client import (
    EMMA,
    HEADER,
    PATH,
    import_file,
    import_json,
    import_text,
    outcome_counts,
    read_job,
    upload,
)

_BOOKS: list[dict[str, Any]] = [
    BOOK,
    {
        "title": "=SUM(A1)",
        "author": "+Plus; -Minus",
        "subtitle": '\'@at, "quoted"',
        "contributors": ["A, B", "C; D", "E | F"],
        "subjects": ["one, with comma"],
        "publication_year": -720,
        "description": "Two\nlines, ; and | more",
        "other_identifiers": {"ISSN": ["1234-5679"], "OTHER": ["=x"]},
        "copies": 3,
    },
    {"title": "'quoted'", "author": "Ænima Ødegård 東京", "subjects": ["a", "b"], "copies": 0},
    {"title": "[brackets]", "author": "{braces}", "edition": "2nd / rev. :", "language": "de"},
]
_OWN = {
    "id",
    "created_at",
    "updated_at",
    "version",
    "copies",
    "status",
    "copies_available",
    "actions",
}


def _facts(catalogue: CatalogueClient) -> list[dict[str, Any]]:
    books = catalogue.get("/books", sort="title", limit=100).json()["data"]
    details = (catalogue.read(book["id"]) for book in books)
    return [{name: value for name, value in book.items() if name not in _OWN} for book in details]


@pytest.mark.parametrize("kind", ["CSV", "XLSX", "JSONL", "MARC21", "MARCXML"])
def test_import_of_an_export_gives_the_same_titles(catalogue: CatalogueClient, kind: str) -> None:
    for book in _BOOKS:
        response = catalogue.create(book)
        assert response.status_code == 201, response.text
    before = _facts(catalogue)
    response = catalogue.staff_get("/books/export", format=kind)
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")
    same = import_file(catalogue, "again", response.content, format=kind)
    assert outcome_counts(same) == (0, 0, len(_BOOKS), 0)
    for book in catalogue.get("/books").json()["data"]:
        assert catalogue.delete(f"/books/{book['id']}").status_code == 200
    job = import_file(catalogue, "again", response.content, format=kind)
    assert outcome_counts(job) == (len(_BOOKS), 0, 0, 0)
    assert _facts(catalogue) == before


def test_formulas_are_guarded_in_csv(catalogue: CatalogueClient) -> None:
    catalogue.create(_BOOKS[1])
    text = catalogue.staff_get("/books/export").content.decode("utf-8-sig")
    assert "'=SUM(A1),''@at" not in text
    cells = text.splitlines()[1].split(",")
    assert cells[1] == "'=SUM(A1)"
    assert all(cell[:1] not in set("=+-@") for cell in cells)


def test_undo_withdraws_created_and_restores_changed_titles(catalogue: CatalogueClient) -> None:
    old = catalogue.add(isbn="9780141439587", title="Emma", author="J. Austen")
    rows = [HEADER, EMMA, "New,A,,1900", "Borrowed,B,,1901", "Edited,C,,1902"]
    job = import_text(catalogue, *rows)
    ids = {book["title"]: book["id"] for book in catalogue.get("/books").json()["data"]}
    with database.transaction() as session:
        custody.reserve_any(session, ids["Borrowed"])
    catalogue.change(ids["Edited"], {"publisher": "Someone"})
    first, again = (_undo(catalogue, job["id"]) for _ in range(2))
    assert first.status_code == 200, first.text
    assert set(first.json()["data"]["kept"]) == {ids["Borrowed"], ids["Edited"]}
    assert again.json()["data"] == first.json()["data"]
    assert sorted(catalogue.titles()) == ["Borrowed", "Edited", "Emma"]
    assert catalogue.read(old["id"])["author"] == "J. Austen"
    assert read_job(catalogue, job["id"])["undone_at"] is not None


def test_only_a_finished_import_can_be_undone(catalogue: CatalogueClient) -> None:
    job_id = upload(catalogue, "b.csv", f"{HEADER}\n{EMMA}".encode()).json()["data"]["job_id"]
    assert _undo(catalogue, job_id).status_code == 409
    dry = import_file(catalogue, "b.csv", f"{HEADER}\n{EMMA}".encode(), dry_run="true")
    assert _undo(catalogue, dry["id"]).status_code == 409


def test_jobs_are_listed_newest_first(catalogue: CatalogueClient) -> None:
    jobs = [import_text(catalogue, HEADER, EMMA)["id"] for _ in range(3)]
    listed = catalogue.staff_get("/books/bulk-import").json()
    assert [job["id"] for job in listed["data"]] == jobs[::-1]
    assert catalogue.get("/books/bulk-import").status_code == 403


def test_report_is_a_guarded_table(catalogue: CatalogueClient) -> None:
    job = import_text(catalogue, HEADER, "Fine,A,=9+9,1900", ",B,,")
    response = catalogue.staff_get(f"/books/bulk-import/{job['id']}/report")
    lines = response.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "row,severity,field,value,code,message"
    assert lines[1].startswith("2,WARNING,isbn,9+9,ISBN_INVALID,")
    assert lines[2].startswith("3,ERROR,title,,TITLE_MISSING,")


def test_refused_rows_are_given_back_as_uploaded_and_can_be_imported(
    catalogue: CatalogueClient,
) -> None:
    header = "Name of the book;title;Verfasser;ISBN;copies;year"
    rows = ["a;Fine;A;;1;1900", "b;;Ödegård;=9;x;1901", "c;Other;B;;many;1902", "d;Long;B;;1;1;;x"]
    job = import_text(catalogue, header, *rows)
    assert (job["created"], job["failed"]) == (1, 3)
    path = f"/books/bulk-import/{job['id']}/report"
    report = catalogue.staff_get(path, content="rows").content.decode("utf-8-sig")
    refused = list(csv.DictReader(report.splitlines()))
    assert list(refused[0])[:-2] == header.split(";")
    assert list(refused[0])[-2:] == ["code", "message"]
    assert [row["Name of the book"] for row in refused] == ["b", "c", "d"]
    assert refused[0]["Verfasser"] == "Ödegård"
    assert refused[0]["ISBN"] == "'=9"  # guarded
    assert refused[0]["code"] == "TITLE_MISSING; COPIES_INVALID"
    assert refused[1]["code"] == "COPIES_INVALID"
    assert refused[2]["code"] == "ROW_UNREADABLE"
    corrected = report.replace(",many,", ",2,").encode()
    again = import_file(catalogue, "corrected.csv", corrected)
    assert (again["created"], again["failed"]) == (2, 1)
    assert catalogue.staff_get(path, content="other").status_code == 422


def test_refused_books_of_json_are_given_back(catalogue: CatalogueClient) -> None:
    job = import_json(catalogue, {"author": "A", "subjects": ["x"], "note\0": "\0"}, [1])
    path = f"/books/bulk-import/{job['id']}/report"
    report = catalogue.staff_get(path, content="rows").content.decode("utf-8-sig")
    refused = list(csv.DictReader(report.splitlines()))
    assert [row["subjects"] for row in refused] == ['["x"]', ""]


def _undo(catalogue: CatalogueClient, job_id: str) -> Any:
    return catalogue.api.post(f"{PATH}/{job_id}/undo", headers=catalogue.librarian.headers)
