"""What an import makes of a file: which rows come in, which do not, and what is said of them."""

import csv
import io

import pytest

from tests.api.book.catalogue_client import Library
from tests.api.book.import_client import (
    GOOD,
    HEAD,
    codes,
    counts,
    import_file,
    import_json,
    import_text,
    remarks,
)


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
    assert counts(job) == (4, 0, 0, 5)
    assert codes(library, job) == [
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
    assert counts(job) == (len(_ISBNS), 0, 0, 0)
    said = {row - 2: code for row, _, code in codes(library, job)}
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
    assert counts(job) == (1, 0, 0, 0)
    assert library.titles() == ["Die Räuber"]
    guessed = [(1, "WARNING", "ENCODING_GUESSED")] if encoding == "cp1252" else []
    assert codes(library, job) == guessed


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_any_system_ends_them(library: Library, end: str) -> None:
    job = import_file(library, "b.csv", end.join([HEAD, GOOD, ""]).encode())
    assert counts(job) == (1, 0, 0, 0)


def test_every_column_reaches_its_field(library: Library) -> None:
    job = import_text(
        library,
        "Original_Title,Title,Authors,ISBN,ISBN13,Publisher,original_publication_year,"
        "language_code,Subjects,Copies,Shelf location,call number,Description,image_url,Other",
        'Old name,,"A, B",0439023483,,Press,-720.0,eng,x; y;x,3,A-1,823 AUS,"Long, text",'
        "https://example.org/c.jpg,ignored",
    )
    assert counts(job) == (1, 0, 0, 0)
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
    assert counts(import_text(library, *lines)) == (3, 0, 0, 0)
    before = library.get("/books", sort="title").json()["data"]
    assert counts(import_text(library, *lines)) == (0, 0, 3, 0)
    assert library.get("/books", sort="title").json()["data"] == before


def test_a_known_isbn_is_updated_and_what_is_left_out_stays(library: Library) -> None:
    book = library.add(isbn="9780141439587", title="Emma", author="J. Austen", copies=2)
    library.read(book["id"])
    job = import_text(library, HEAD, GOOD)
    assert counts(job) == (0, 1, 0, 0)
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
    assert counts(job) == (5, 0, 0, 0)


def test_two_rows_of_one_isbn_are_one_book_and_someone_is_told(library: Library) -> None:
    job = import_text(library, HEAD, GOOD, GOOD, "Mansfield Park,Jane Austen,9780141439587,1814")
    assert counts(job) == (1, 1, 1, 0)
    assert codes(library, job) == [
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
    assert (counts(job), job["dry_run"]) == ((1, 1, 0, 1), True)
    assert library.titles() == ["The Mythical Man-Month"]
    assert (2, "ERROR") not in [row[:2] for row in codes(library, job)]


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
    assert (job["total"], counts(job)) == (9, (2, 0, 0, 7))
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
