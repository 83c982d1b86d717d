"""Importing titles: a file becomes rows, rows become titles, and every doubt becomes a remark.

`recognise` (what was uploaded) → `jobs` (batch by batch) → `reading` (bytes to rows, `columns`)
→ `rows` (a row to a title, `remarks`) → `loading` (titles into the catalogue).
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from backend.book.imports import row_validation, upsert
from backend.book.imports.csv_parser import Record
from backend.book.imports.header_mapping import field_of
from backend.book.imports.upsert import Outcome

_BATCH_ROWS = 1000


def load(session: Session, books: Iterable[dict[str, Any]]) -> Outcome:
    """Import books in their JSON form at once, in the caller's transaction.

    The remarks tell by number (from 1) which were refused or taken with a reservation.
    """
    numbered = iter(enumerate(books, start=1))
    whole = Outcome()
    while batch := list(islice(numbered, _BATCH_ROWS)):
        taken = []
        for number, given in batch:
            values = {field_of(name) or name: value for name, value in given.items()}
            book, remarks = row_validation.read(Record(number, 0, number, values))
            whole.remarks += remarks
            if book is not None:
                taken.append((number, book))
        done = upsert.load(session, taken)
        whole.created += done.created
        whole.updated += done.updated
        whole.unchanged += done.unchanged
        whole.remarks += done.remarks
    return whole
