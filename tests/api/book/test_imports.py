"""What an import makes of a file: which rows come in, which do not, and what is said of them."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from backend.book import imports
from backend.book.imports import jobs
from backend.shared import clock, db, outbox, worker
from backend.shared.models import ImportState, OutboxEvent
from tests import chain
from tests.api.book.importing import (
    PATH,
    hand_in,
    import_file,
    import_json,
    import_text,
    read_job,
    remarks,
)
from tests.api.book.library import Library

HEAD = "title,author,isbn,year"
GOOD = "Emma,Jane Austen,9780141439587,1815"


def _counts(job: dict[str, Any]) -> tuple[int, int, int, int]:
    return (job["created"], job["updated"], job["unchanged"], job["failed"])


def _codes(library: Library, job: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(row["row"], row["severity"], row["code"]) for row in remarks(library, job["id"])]


def test_a_bad_row_is_told_by_its_line_and_stops_no_other(library: Library) -> None:
    job = import_text(
        library,
        HEAD,
        GOOD,
        ",Nobody,,1900",
        '"A title\nover two lines",Someone,0201835959,1999',
        "No author,,0439023483,2008",
        "Bad year,X,0439023483,MMVIII",
        "",
        "Too,many,cells,1,2",
        'Broken "quote,X,,',
        '"Unclosed" by far,X,,',
        "Dune,Frank Herbert,0441013597,1965.0",
    )
    assert (job["state"], job["total"], job["processed"]) == ("SUCCEEDED", 9, 9)
    assert _counts(job) == (4, 0, 0, 5)
    assert _codes(library, job) == [
        (3, "ERROR", "TITLE_MISSING"),
        (6, "ERROR", "AUTHOR_MISSING"),
        (7, "ERROR", "YEAR_INVALID"),
        (9, "ERROR", "ROW_UNREADABLE"),
        (10, "WARNING", "ISBN_MISSING"),
        (11, "ERROR", "ROW_UNREADABLE"),
    ]
    assert set(library.titles(q="a title over two lines")) == {"A title over two lines"}
    assert library.titles(year_from=1965, year_to=1965) == ["Dune"]


_ISBNS = (
    # isbn, isbn13, what is kept, why not (or not wholly)
    ("439023483", "", "9780439023481", None),  # a zero was dropped
    ("0439023491", "9.78043902349e+12", "9780439023498", None),
    ("9780439023511", "", "9780439023511", None),
    ('="0545425115"', "", "9780545425117", None),
    ("", "9780545310581", "9780545310581", None),
    ("0439023484", "9780545320696", "9780545320696", "ISBN_INVALID"),
    ("0439023484", "", None, "ISBN_INVALID"),
    ("0439023484", "9.78043902348e+12", None, "ISBN_INVALID"),
    ("9.78043902348e+12", "", None, "ISBN_LOSSY"),
    ("4,39E+09", "", None, "ISBN_LOSSY"),
    ("", "9.78043902348E+12", None, "ISBN13_LOSSY"),
    ("", "76783609419.0", None, "ISBN13_LOSSY"),
    ("", "9780439023482", None, "ISBN_INVALID"),
    ("", "", None, "ISBN_MISSING"),
)


def test_an_isbn_is_checked_mended_or_left_out_but_never_guessed(library: Library) -> None:
    content = io.StringIO()
    rows = [[f"T{n}", "X", short, long] for n, (short, long, *_) in enumerate(_ISBNS)]
    csv.writer(content).writerows([["title", "author", "isbn", "isbn13"], *rows])
    job = import_text(library, content.getvalue())
    assert _counts(job) == (len(_ISBNS), 0, 0, 0)
    said = {row - 2: code for row, _, code in _codes(library, job)}
    kept = {book["title"]: book["isbn"] for book in library.get("/books").json()["data"]}
    for number, (*_, isbn, code) in enumerate(_ISBNS):
        assert (kept[f"T{number}"], said.get(number)) == (isbn, code), _ISBNS[number]
    assert job["warnings"] == len(said)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_separators_and_encodings_are_recognised(
    library: Library, separator: str, encoding: str
) -> None:
    rows = [["Titel", "Autor", "ISBN-13"], ["Die Räuber", "Friedrich Schiller", "9783150000151"]]
    job = import_text(library, *(separator.join(row) for row in rows), encoding=encoding)
    assert _counts(job) == (1, 0, 0, 0)
    assert library.titles() == ["Die Räuber"]
    guessed = [(1, "WARNING", "ENCODING_GUESSED")] if encoding == "cp1252" else []
    assert _codes(library, job) == guessed


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_any_system_ends_them(library: Library, end: str) -> None:
    job = import_file(library, "b.csv", end.join([HEAD, GOOD, ""]).encode())
    assert _counts(job) == (1, 0, 0, 0)


def test_every_column_reaches_its_field(library: Library) -> None:
    job = import_text(
        library,
        "Original_Title,Title,Authors,ISBN,ISBN13,Publisher,original_publication_year,"
        "language_code,Subjects,Copies,Shelf location,call number,Description,image_url,Other",
        'Old name,,"A, B",0439023483,,Press,-720.0,eng,x; y;x,3,A-1,823 AUS,"Long, text",'
        "https://example.org/c.jpg,ignored",
    )
    assert _counts(job) == (1, 0, 0, 0)
    found = library.get("/books").json()["data"][0]
    book = library.read(found["id"])
    wanted = {
        "title": "Old name",
        "author": "A, B",
        "publisher": "Press",
        "publication_year": -720,
        "language": "eng",
        "subjects": ["x", "y"],
        "copies_total": 3,
        "shelf_location": "A-1",
        "call_number": "823 AUS",
        "description": "Long, text",
        "cover_image_url": "https://example.org/c.jpg",
    }
    assert {name: book[name] for name in wanted} == wanted
    assert {copy["shelf_location"] for copy in book["copies"]} == {"A-1"}


def test_the_same_file_again_changes_nothing(library: Library) -> None:
    lines = [HEAD, GOOD, "No number,Someone,,1900", "No number,Someone,,1901"]
    assert _counts(import_text(library, *lines)) == (3, 0, 0, 0)
    before = library.get("/books", sort="title").json()["data"]
    assert _counts(import_text(library, *lines)) == (0, 0, 3, 0)
    assert library.get("/books", sort="title").json()["data"] == before


def test_a_known_isbn_is_updated_and_what_is_left_out_stays(library: Library) -> None:
    book = library.add(isbn="9780141439587", title="Emma", author="J. Austen", copies=2)
    library.read(book["id"])
    job = import_text(library, HEAD, GOOD)
    assert _counts(job) == (0, 1, 0, 0)
    changed = library.read(book["id"])
    assert (changed["author"], changed["publication_year"]) == ("Jane Austen", 1815)
    assert (changed["publisher"], changed["copies_total"]) == (book["publisher"], 2)
    assert changed["version"] == book["version"] + 1


def test_a_title_alone_never_makes_two_books_one(library: Library) -> None:
    job = import_text(
        library,
        "title,author,isbn,year,publisher",
        "Poems,Sylvia Plath,,1960,Heinemann",
        "Poems,Sylvia Plath,,1965,Heinemann",
        "Poems,Sylvia Plath,,1965,Faber",
        "Poems,W. H. Auden,,1960,Heinemann",
        "Poems,Sylvia Plath,9780571060108,1960,Heinemann",
    )
    assert _counts(job) == (5, 0, 0, 0)


def test_two_rows_of_one_isbn_are_one_book_and_someone_is_told(library: Library) -> None:
    job = import_text(library, HEAD, GOOD, GOOD, "Mansfield Park,Jane Austen,9780141439587,1814")
    assert _counts(job) == (1, 1, 1, 0)
    assert _codes(library, job) == [
        (3, "WARNING", "DUPLICATE_ROW"),
        (4, "WARNING", "DUPLICATE_ROW"),
        (4, "WARNING", "TITLE_DIFFERS"),
    ]
    assert library.titles() == ["Mansfield Park"]
    assert library.get("/books").json()["data"][0]["copies_total"] == 1


def test_a_dry_run_tells_everything_and_changes_nothing(library: Library) -> None:
    content = f"{HEAD}\n{GOOD}\n,x,,\nNew,A,,1900".encode()
    library.add(isbn="9780141439587")
    job = import_file(library, "b.csv", content, dry_run="true")
    assert (_counts(job), job["dry_run"]) == ((1, 1, 0, 1), True)
    assert library.titles() == ["The Mythical Man-Month"]
    assert (2, "ERROR") not in [row[:2] for row in _codes(library, job)]


def test_books_of_a_json_body_are_judged_one_by_one(library: Library) -> None:
    job = import_json(
        library,
        {"title": "Emma", "author": "Jane Austen", "isbn": 9780141439587, "copies": 2},
        {"title": "Persuasion", "authors": "Jane Austen", "subjects": ["novel"], "year": 1817},
        {"title": 7, "author": "X"},
        {"title": "Odd", "author": "X", "colour": "red"},
        {"title": "Deep", "author": "X", "subjects": [["x"]]},
        "no object",
        {"title": "Nul\0", "author": "X"},
        {"title": "T" * 501, "author": "X"},
        {"title": "Many", "author": "X", "copies": 10**40},
    )
    assert (job["total"], _counts(job)) == (9, (2, 0, 0, 7))
    refused = remarks(library, job["id"], severity="ERROR")
    assert [(row["row"], row["code"], row["field"]) for row in refused] == [
        (3, "VALUE_INVALID", "title"),
        (4, "FIELD_UNKNOWN", "colour"),
        (5, "VALUE_INVALID", "subjects"),
        (6, "ROW_UNREADABLE", None),
        (7, "VALUE_INVALID", "title"),
        (8, "VALUE_INVALID", "title"),
        (9, "COPIES_INVALID", "copies"),
    ]


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
    assert (job["total"], _counts(job)) == (150, (1, 0, 149, 0))


class _KilledError(Exception):
    pass


@pytest.mark.parametrize("dies_after", [0, 1, 2])
def test_a_worker_killed_in_the_middle_doubles_nothing(
    library: Library, monkeypatch: pytest.MonkeyPatch, dies_after: int
) -> None:
    """It dies with a batch done but not committed; the relay sends the event again."""
    monkeypatch.setattr(jobs, "_BATCH_ROWS", 4)
    publish, batches = outbox.publish, 0

    def dying(session: Any, event: Any) -> Any:
        nonlocal batches
        if event.TYPE == "catalog.import.progressed":
            batches += 1
            if batches == dies_after + 1:
                raise _KilledError
        return publish(session, event)

    monkeypatch.setattr(outbox, "publish", dying)
    rows = [f"Book {number},Author,,{number}" for number in range(1900, 1910)]
    job_id = hand_in(library, "b.csv", "\n".join([HEAD, *rows]).encode()).json()["data"]["job_id"]
    with pytest.raises(_KilledError):
        chain.run_events()
    assert read_job(library, job_id)["processed"] == 4 * dies_after
    chain.run_events()
    job = read_job(library, job_id)
    assert (job["state"], job["processed"], _counts(job)) == ("SUCCEEDED", 10, (10, 0, 0, 0))
    assert len(remarks(library, job_id)) == job["warnings"] == 10
    assert library.get("/books").json()["pagination"]["total"] == 10


def test_an_event_that_comes_twice_is_done_once(library: Library) -> None:
    job = import_text(library, HEAD, GOOD)
    with db.transaction() as session:
        jobs.do_batch(session, job["id"])
    assert read_job(library, job["id"]) == job


def test_a_job_whose_event_is_a_dead_letter_ends_as_failed(library: Library) -> None:
    answer = hand_in(library, "b.csv", f"{HEAD}\n{GOOD}".encode())
    job_id = answer.json()["data"]["job_id"]
    chain.run_periodic("catalog.end_dead_imports")
    assert read_job(library, job_id)["state"] == "QUEUED"
    with db.transaction() as session:
        session.execute(update(OutboxEvent).values(dead_at=clock.now()))
    chain.run_periodic("catalog.end_dead_imports")
    job = read_job(library, job_id)
    assert (job["state"], job["processed"]) == ("FAILED", 0)
    assert job["problem"]


def test_two_imports_of_one_file_at_once_make_no_title_twice(library: Library) -> None:
    rows = [f"Book {number},Author,," for number in range(50)]
    content = "\n".join([HEAD, *rows]).encode()
    jobs_ids = [hand_in(library, "b.csv", content).json()["data"]["job_id"] for _ in range(2)]

    def work(job_id: str) -> None:
        with db.transaction() as session:
            jobs.do_batch(session, UUID(job_id))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, jobs_ids))
    counts = sorted(_counts(read_job(library, job_id)) for job_id in jobs_ids)
    assert counts == [(0, 0, 50, 0), (50, 0, 0, 0)]


def test_batches_meet_at_any_byte(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces and batches end within characters, quotes and lines; no row is lost or doubled."""
    from backend.book.imports import reading

    monkeypatch.setattr(jobs, "_BATCH_ROWS", 2)
    monkeypatch.setattr(reading, "PIECE", 7)
    rows = [f'"Füße, ""{n}""\r\nand more",Ärzte {n},,{1900 + n}' for n in range(9)]
    job = import_text(library, HEAD, *rows)
    assert (job["total"], _counts(job)) == (9, (9, 0, 0, 0))
    assert [row["row"] for row in remarks(library, job["id"])] == list(range(2, 20, 2))
    assert library.titles(q='füße "3" and more') == ['Füße, "3" and more']


def test_a_file_that_turns_out_unreadable_ends_the_job_with_its_reason(library: Library) -> None:
    job = import_file(library, "b.csv", b"title,author\n" + b"x" * 2_200_000)
    assert job["state"] == ImportState.FAILED
    assert "longer than 1 MiB" in job["problem"]
    assert library.titles() == []


def test_the_demo_library_loads_in_the_callers_transaction(library: Library) -> None:
    books = [{"title": f"T{n}", "author": "A", "copies": 2, "subjects": ["s"]} for n in range(3)]
    for wanted in ((3, 0, 0), (0, 0, 3)):
        with db.transaction() as session:
            outcome = imports.load(session, books)
            assert (outcome.created, outcome.updated, outcome.unchanged) == wanted
            assert {remark.code for remark in outcome.remarks} == {"ISBN_MISSING"}
    assert library.get("/books").json()["data"][0]["copies_total"] == 2


def test_the_import_consumer_is_on_the_list_of_reactions() -> None:
    chain.run_events()
    assert "catalog.import_batch" in worker.celery.tasks
