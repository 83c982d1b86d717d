"""Imports: which rows are imported or refused, and the issues reported."""

import csv
import io

import pytest

from tests.api.book.catalogue_client import CatalogueClient
from tests.api.book.import_client import (
    EMMA,
    HEADER,
    codes,
    import_file,
    import_json,
    import_text,
    outcome_counts,
    row_issues,
)


def test_invalid_rows_are_reported_by_line_and_others_imported(catalogue: CatalogueClient) -> None:
    job = import_text(
        catalogue,
        HEADER,
        EMMA,
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
    assert outcome_counts(job) == (5, 0, 0, 4)
    assert codes(catalogue, job) == [
        (3, "ERROR", "TITLE_MISSING"),
        (6, "WARNING", "AUTHOR_MISSING"),
        (7, "ERROR", "YEAR_INVALID"),
        (9, "ERROR", "ROW_UNREADABLE"),
        (10, "WARNING", "ISBN_MISSING"),
        (11, "ERROR", "ROW_UNREADABLE"),
    ]
    assert set(catalogue.titles(q="a title over two lines")) == {"A title over two lines"}
    assert catalogue.titles(year_from=1965, year_to=1965) == ["Dune"]


_ISBNS = (
    # isbn, isbn13, stored ISBN, issue
    ("439023483", "", "9780439023481", None),  # leading zero dropped
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


def test_isbn_is_validated_corrected_or_omitted(catalogue: CatalogueClient) -> None:
    content = io.StringIO()
    rows = [[f"T{n}", "X", short, long] for n, (short, long, *_) in enumerate(_ISBNS)]
    csv.writer(content).writerows([["title", "author", "isbn", "isbn13"], *rows])
    job = import_text(catalogue, content.getvalue())
    assert outcome_counts(job) == (len(_ISBNS), 0, 0, 0)
    reported = {row - 2: code for row, _, code in codes(catalogue, job)}
    stored = {book["title"]: book["isbn"] for book in catalogue.get("/books").json()["data"]}
    for number, (*_, isbn, code) in enumerate(_ISBNS):
        assert (stored[f"T{number}"], reported.get(number)) == (isbn, code), _ISBNS[number]
    assert job["warnings"] == len(reported)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_separator_and_encoding_are_detected(
    catalogue: CatalogueClient, separator: str, encoding: str
) -> None:
    rows = [["Titel", "Autor", "ISBN-13"], ["Die Räuber", "Friedrich Schiller", "9783150000151"]]
    job = import_text(catalogue, *(separator.join(row) for row in rows), encoding=encoding)
    assert outcome_counts(job) == (1, 0, 0, 0)
    assert catalogue.titles() == ["Die Räuber"]
    guessed = [(1, "WARNING", "ENCODING_GUESSED")] if encoding == "cp1252" else []
    assert codes(catalogue, job) == guessed


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_endings_are_accepted(catalogue: CatalogueClient, end: str) -> None:
    job = import_file(catalogue, "b.csv", end.join([HEADER, EMMA, ""]).encode())
    assert outcome_counts(job) == (1, 0, 0, 0)


def test_each_known_column_maps_to_its_field(catalogue: CatalogueClient) -> None:
    job = import_text(
        catalogue,
        "Original_Title,Title,Authors,ISBN,ISBN13,Publisher,original_publication_year,"
        "language_code,Subjects,Copies,Shelf location,call number,Description,image_url,Other",
        'Old name,,"A, B",0439023483,,Press,-720.0,eng,x; y;x,3,A-1,823 AUS,"Long, text",'
        "https://example.org/c.jpg,ignored",
    )
    assert outcome_counts(job) == (1, 0, 0, 0)
    found = catalogue.get("/books").json()["data"][0]
    book = catalogue.read(found["id"])
    expected = {
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
    assert {name: book[name] for name in expected} == expected
    assert {copy["shelf_location"] for copy in book["copies"]} == {"A-1"}


def test_repeated_import_changes_nothing(catalogue: CatalogueClient) -> None:
    lines = [HEADER, EMMA, "No number,Someone,,1900", "No number,Someone,,1901"]
    assert outcome_counts(import_text(catalogue, *lines)) == (3, 0, 0, 0)
    before = catalogue.get("/books", sort="title").json()["data"]
    assert outcome_counts(import_text(catalogue, *lines)) == (0, 0, 3, 0)
    assert catalogue.get("/books", sort="title").json()["data"] == before


def test_known_isbn_is_updated_and_empty_values_keep_theirs(catalogue: CatalogueClient) -> None:
    book = catalogue.add(isbn="9780141439587", title="Emma", author="J. Austen", copies=2)
    catalogue.read(book["id"])
    job = import_text(catalogue, HEADER, EMMA)
    assert outcome_counts(job) == (0, 1, 0, 0)
    changed = catalogue.read(book["id"])
    assert (changed["author"], changed["publication_year"]) == ("Jane Austen", 1815)
    assert (changed["publisher"], changed["copies_total"]) == (book["publisher"], 2)
    assert changed["version"] == book["version"] + 1


def test_equal_titles_alone_are_not_merged(catalogue: CatalogueClient) -> None:
    job = import_text(
        catalogue,
        "title,author,isbn,year,publisher",
        "Poems,Sylvia Plath,,1960,Heinemann",
        "Poems,Sylvia Plath,,1965,Heinemann",
        "Poems,Sylvia Plath,,1965,Faber",
        "Poems,W. H. Auden,,1960,Heinemann",
        "Poems,Sylvia Plath,9780571060108,1960,Heinemann",
    )
    assert outcome_counts(job) == (5, 0, 0, 0)


def test_isbn_of_another_title_is_no_evidence(catalogue: CatalogueClient) -> None:
    lines = [HEADER, EMMA, EMMA, "Mansfield Park,Jane Austen,9780141439587,1814"]
    job = import_text(catalogue, *lines)
    assert outcome_counts(job) == (2, 0, 1, 0)
    assert codes(catalogue, job) == [
        (3, "WARNING", "DUPLICATE_ROW"),
        (4, "WARNING", "TITLE_DIFFERS"),
    ]
    assert catalogue.titles(q="9780141439587", sort="title") == ["Emma", "Mansfield Park"]
    assert outcome_counts(import_text(catalogue, *lines)) == (0, 0, 3, 0)


def test_first_row_of_a_title_takes_precedence(catalogue: CatalogueClient) -> None:
    lines = [
        "title,author,isbn,year,publisher",
        "Emma,Jane Austen,9780141439587,1815,",
        "Emma,J. Austen,9780141439587,1816,Penguin",
    ]
    assert outcome_counts(import_text(catalogue, *lines)) == (1, 1, 0, 0)
    found = catalogue.get("/books").json()["data"][0]
    assert (found["author"], found["publisher"]) == ("Jane Austen", "Penguin")
    assert outcome_counts(import_text(catalogue, *lines)) == (0, 0, 2, 0)


def test_dry_run_reports_outcome_and_writes_nothing(catalogue: CatalogueClient) -> None:
    content = f"{HEADER}\n{EMMA}\n,x,,\nNew,A,,1900".encode()
    catalogue.add(isbn="9780141439587")
    job = import_file(catalogue, "b.csv", content, dry_run="true")
    assert (outcome_counts(job), job["dry_run"]) == ((2, 0, 0, 1), True)
    assert catalogue.titles() == ["The Mythical Man-Month"]
    assert codes(catalogue, job) == [
        (2, "WARNING", "TITLE_DIFFERS"),
        (3, "ERROR", "TITLE_MISSING"),
        (4, "WARNING", "ISBN_MISSING"),
    ]


def test_json_books_are_validated_one_by_one(catalogue: CatalogueClient) -> None:
    job = import_json(
        catalogue,
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
    assert (job["total"], outcome_counts(job)) == (9, (2, 0, 0, 7))
    refused = row_issues(catalogue, job["id"], severity="ERROR")
    assert [(row["row"], row["code"], row["field"]) for row in refused] == [
        (3, "VALUE_INVALID", "title"),
        (4, "FIELD_UNKNOWN", "colour"),
        (5, "VALUE_INVALID", "subjects"),
        (6, "ROW_UNREADABLE", None),
        (7, "VALUE_INVALID", "title"),
        (8, "VALUE_INVALID", "title"),
        (9, "COPIES_INVALID", "copies"),
    ]
