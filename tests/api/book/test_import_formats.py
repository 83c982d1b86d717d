"""Imports of XLSX, JSON lines, MARC21 and MARCXML; what real library files contain."""

import io
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from pymarc import MARCReader, record_to_xml
from sqlalchemy import Engine, text

from backend.book.imports import csv_parser, marc_reader
from tests.api.book.catalogue_client import CatalogueClient
from tests.api.book.import_client import (
    codes,
    import_file,
    outcome_counts,
    row_issues,
    upload,
)

MARC = Path(__file__).parents[4] / "shared" / "data" / "marc"
needs_marc = pytest.mark.skipif(
    not MARC.exists(), reason="../shared/data/marc exists beside the project only"
)


def _books(catalogue: CatalogueClient) -> list[dict[str, Any]]:
    books = catalogue.get("/books", sort="title", limit=100).json()["data"]
    return [catalogue.read(book["id"]) for book in books]


def _facts(catalogue: CatalogueClient) -> list[dict[str, Any]]:
    """Return the titles without what differs between two imports."""
    own = {"id", "created_at", "updated_at", "copies", "version", "actions"}
    return [
        {name: value for name, value in book.items() if name not in own}
        for book in _books(catalogue)
    ]


def test_workbook_is_imported_with_its_numbers_as_text(catalogue: CatalogueClient) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Title", "Author", "ISBN", "Year"])
    sheet.append(["Emma", "Jane Austen", 9780141439587, 1815])
    sheet.append(["Two\nlines; and, more", None, "0201835959", 1999.0])
    sheet.append([None, None, None, None])
    sheet.append(["No year", "X", 439023483, "later"])
    content = io.BytesIO()
    book.save(content)
    job = import_file(catalogue, "books.xlsx", content.getvalue())
    assert (job["format"], outcome_counts(job)) == ("XLSX", (2, 0, 0, 1))
    assert [(b["title"], b["author"], b["isbn"]) for b in _books(catalogue)] == [
        ("Emma", "Jane Austen", "9780141439587"),
        ("Two lines; and, more", None, "9780201835953"),
    ]
    assert codes(catalogue, job) == [
        (3, "WARNING", "AUTHOR_MISSING"),
        (5, "ERROR", "YEAR_INVALID"),
    ]


def test_json_lines_are_imported(catalogue: CatalogueClient) -> None:
    lines = (
        b'\xef\xbb\xbf{"title": "Emma", "author": "Jane Austen"}\n\n[1]\n{"title": \n{"title": "B"}'
    )
    job = import_file(catalogue, "books.jsonl", lines)
    assert (job["format"], outcome_counts(job)) == ("JSONL", (2, 0, 0, 2))
    assert [book["title"] for book in _books(catalogue)] == ["B", "Emma"]


@pytest.mark.parametrize("separator", ["|", "^", "~", ":"])
def test_any_separator_is_detected(catalogue: CatalogueClient, separator: str) -> None:
    rows = [["Title", "Author"], ["Emma", "Jane Austen"]]
    content = "\n".join(separator.join(row) for row in rows).encode()
    assert outcome_counts(import_file(catalogue, "b.txt", content)) == (1, 0, 0, 0)


def test_format_may_be_given(catalogue: CatalogueClient) -> None:
    job = import_file(catalogue, "b.bin", b'{"title": "Emma"}', format="jsonl")
    assert (job["format"], job["created"]) == ("JSONL", 1)
    response = upload(catalogue, "b.csv", b"title\nx", format="XLSX")
    assert response.status_code == 415


def test_document_type_in_xml_is_refused(catalogue: CatalogueClient) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><collection><record>&a;</record></collection>'
    assert upload(catalogue, "b.xml", bomb).status_code == 422
    late = b"<collection>" + b" " * 5000 + bomb + b"</collection>"
    job = import_file(catalogue, "b.xml", late)
    assert outcome_counts(job) == (0, 0, 0, 1)


@needs_marc
def test_university_library_is_imported_with_every_isbn(
    catalogue: CatalogueClient, owner: Engine
) -> None:
    content = (MARC / "solrmarc_uva_001_2000.mrc").read_bytes()
    job = import_file(catalogue, "uva.mrc", content)
    assert (job["state"], job["total"], job["failed"]) == ("SUCCEEDED", 2000, 0)
    refused = [row for row in row_issues(catalogue, job["id"]) if row["code"] == "ISBN_INVALID"]
    assert refused == []  # all 1 288 in 020$a are valid once their punctuation is removed
    with owner.connect() as connection:
        numbers = connection.execute(
            text("""
                SELECT isbn AS number FROM books WHERE isbn IS NOT NULL UNION
                SELECT jsonb_array_elements_text(other_identifiers -> 'ISBN') FROM books
            """)
        ).scalars()
        assert len(set(numbers)) == 1277
    again = import_file(catalogue, "uva.mrc", content)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 2000)


@needs_marc
def test_both_encodings_of_a_file_give_equal_titles(
    catalogue: CatalogueClient, owner: Engine
) -> None:
    found, job = [], {}
    for name in ("marc4j_brkrtest.mrc", "marc4j_brkrtest_UTF8.mrc"):
        job = import_file(catalogue, name, (MARC / name).read_bytes())
        assert job["failed"] == 0
        found.append(_facts(catalogue))
    assert found[0] == found[1]
    assert len(found[0]) == 8
    assert outcome_counts(job) == (0, 0, 8, 0)


@needs_marc
@pytest.mark.parametrize(
    ("name", "created", "failed"),
    [
        ("marc4j_bad_hathi_records.mrc", 3, 1),
        ("marc4j_bad_too_long_plus_2.mrc", 0, 1),
        ("marc4j_chinese_mangled_multibyte.mrc", 4, 0),
        ("traject_hebrew880s.mrc", 1, 0),
        ("pymarc/multi_isbn.dat", 1, 0),
        ("pymarc/marc8.dat", 1, 0),
        ("pymarc/utf8_invalid.mrc", 1, 0),
        ("pymarc/utf8_without_leader_flag.dat", 1, 0),
        ("pymarc/batch.xml", 2, 0),
        ("pymarc/utf8.xml", 1, 0),
    ],
)
def test_damaged_files_lose_only_damaged_records(
    catalogue: CatalogueClient, name: str, created: int, failed: int
) -> None:
    job = import_file(catalogue, name, (MARC / name).read_bytes())
    assert job["state"] == "SUCCEEDED"
    seen = job["created"] + job["updated"] + job["unchanged"]
    assert (seen, job["failed"]) == (created, failed), Counter(
        row["message"] for row in row_issues(catalogue, job["id"])
    )


@needs_marc
def test_marcxml_gives_the_titles_of_marc21(catalogue: CatalogueClient) -> None:
    content = (MARC / "marc4j_brkrtest_UTF8.mrc").read_bytes()
    records = [record for record in MARCReader(content) if record is not None]
    to_xml: Any = record_to_xml  # has no types
    xml = b"<collection>" + b"".join(to_xml(each, namespace=True) for each in records)
    import_file(catalogue, "b.mrc", content)
    job = import_file(catalogue, "b.xml", xml + b"</collection>")
    assert outcome_counts(job) == (0, 0, 8, 0)


@needs_marc
def test_marc_is_read_from_any_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches begin between two records; pieces end anywhere."""
    content = (MARC / "marc4j_brkrtest.mrc").read_bytes()
    for size in (7919, 100):
        for module in (csv_parser, marc_reader):
            monkeypatch.setattr(module, "PIECE_BYTES", size)
        layout = csv_parser.Layout(marc_reader.MARC21, "utf-8", "", b"", (), (), 0, 0)

        def piece(number: int, size: int = size) -> bytes | None:
            return content[number * size : (number + 1) * size] or None

        whole = list(marc_reader.read_records(piece, layout, 0, 0))
        third = whole[2]
        rest = list(marc_reader.read_records(piece, layout, third.end_offset, third.end_line))
        assert (len(whole), rest) == (8, whole[3:])
