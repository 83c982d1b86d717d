"""The import of a real catalogue whose truth is known: 10 000 books once hurt by a spreadsheet."""

import csv
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.api.book.catalogue_client import Library
from tests.api.book.import_client import import_file, remarks, rerun

FILE = Path(__file__).parents[4] / "shared" / "data" / "goodbooks_books.csv"

pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason="../shared/data/goodbooks_books.csv stands beside the project only"
)


def test_every_book_comes_in_and_every_missing_isbn_is_explained(
    library: Library, owner: Engine
) -> None:
    began = time.monotonic()
    job = import_file(library, FILE.name, FILE.read_bytes())
    assert time.monotonic() - began < 30
    counts = {name: job[name] for name in ("total", "processed", "created", "failed", "warnings")}
    assert job["state"] == "SUCCEEDED"
    assert counts == {
        "total": 10_000,
        "processed": 10_000,
        "created": 10_000,
        "failed": 0,
        "warnings": 723,
    }
    said = remarks(library, job["id"])
    reasons = Counter(remark["code"] for remark in said)
    assert reasons == {"ISBN_INVALID": 23, "ISBN13_LOSSY": 135, "ISBN_MISSING": 565}
    assert len({remark["row"] for remark in said}) == 723
    with owner.connect() as connection:
        numbers = connection.execute(text("SELECT count(isbn), count(*) FROM books")).one()
        copies = connection.execute(
            text("SELECT count(*), count(DISTINCT barcode) FROM copies")
        ).one()
        free = text("SELECT count(*) FROM books WHERE copies_available = 1")
        assert connection.execute(free).scalar_one() == 10_000
    assert tuple(numbers) == (9_277, 10_000)
    assert tuple(copies) == (10_000, 10_000)
    _finds_what_it_should(library)
    again = rerun(library, FILE)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 10_000)


def _finds_what_it_should(library: Library) -> None:
    """A sample of exact titles with the author's name is found, most of them first."""
    with FILE.open(encoding="utf-8", newline="") as content:
        sample = list(csv.DictReader(content))[::200]
    firsts = 0
    for book in sample:
        title = " ".join(book["title"].split())
        surname = book["authors"].split(",")[0].split()[-1]
        found = library.titles(q=f"{title} {surname}", limit=10)
        assert title in found
        firsts += found[0] == title
    assert firsts >= 0.95 * len(sample)
