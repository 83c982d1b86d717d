"""Export all titles as CSV, JSON lines, MARC21 or MARCXML, a part at a time."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from pymarc import record_to_xml
from sqlalchemy import Connection, select
from stdnum import isbn as isbn_format

from backend.book.imports import marc_mapping
from backend.shared.models import Book

_FIELDS = (
    *("isbn", "title", "subtitle", "author", "contributors", "publisher", "publication_year"),
    *("edition", "language", "subjects", "description", "call_number", "shelf_location"),
    *("cover_image_url", "other_identifiers", "copies"),
)
_CHUNK = 500  # titles
# What a spreadsheet would run as a formula, and what would read as a guarded cell.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_SEPARATORS = ";|,["
Row = dict[str, Any]


class ExportFormat(StrEnum):
    """The format of an export."""

    CSV = "CSV"
    JSONL = "JSONL"
    MARC21 = "MARC21"
    MARCXML = "MARCXML"


MEDIA_TYPES = {
    ExportFormat.CSV: ("text/csv; charset=utf-8", "csv"),
    ExportFormat.JSONL: ("application/jsonl", "jsonl"),
    ExportFormat.MARC21: ("application/marc", "mrc"),
    ExportFormat.MARCXML: ("application/marcxml+xml", "xml"),
}


def chunks(open_connection: Callable[[], Connection], kind: ExportFormat) -> Iterator[bytes]:
    """Read the titles in order of their ids and yield them in the format; memory is constant."""
    head, write, tail = _WRITERS[kind]
    yield head
    last = None
    while True:
        with open_connection() as connection:
            rows = _rows(connection, last)
        if not rows:
            break
        last = rows[-1]["id"]
        yield b"".join(write(row) for row in rows)
    yield tail


def _rows(connection: Connection, after: UUID | None) -> list[Row]:
    columns = [Book.__table__.c[name] for name in _FIELDS if name != "copies"]
    statement = (
        select(Book.id, *columns, Book.copies_total.label("copies"))
        .where(Book.withdrawn_at.is_(None))
        .order_by(Book.id)
        .limit(_CHUNK)
    )
    if after is not None:
        statement = statement.where(Book.id > after)
    return [dict(row) for row in connection.execute(statement).mappings()]


def _csv_line(cells: list[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode()


def _csv_row(row: Row) -> bytes:
    return _csv_line([guard(_cell(name, row[name])) for name in _FIELDS])


def table(names: Iterable[str], rows: Iterable[Mapping[Any, Any]]) -> bytes:
    """Return rows as CSV, guarded like titles."""
    columns = list(names)
    lines = (
        _csv_line([guard("" if row[name] is None else str(row[name])) for name in columns])
        for row in rows
    )
    return b"\xef\xbb\xbf" + _csv_line(columns) + b"".join(lines)


def guard(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _cell(name: str, value: Any) -> str:
    if value is None or value in ([], {}):
        return ""
    if name == "isbn":
        return str(isbn_format.format(value))  # hyphens keep spreadsheets from rounding it
    if isinstance(value, list) and not any(mark in each for each in value for mark in _SEPARATORS):
        return "; ".join(value) + ("" if len(value) > 1 else ";")
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _json_line(row: Row) -> bytes:
    book = {name: row[name] for name in _FIELDS if row[name] not in (None, [], {})}
    return json.dumps(book, ensure_ascii=False).encode() + b"\n"


def _marc(row: Row) -> bytes:
    """Return a binary record, without its description if it would be too long for the format."""
    record = bytes(marc_mapping.to_record(row).as_marc())
    if len(record) > _MAX_MARC_BYTES:
        record = bytes(marc_mapping.to_record({**row, "description": None}).as_marc())
    return record


def _marc_xml(row: Row) -> bytes:
    return bytes(record_to_xml(marc_mapping.to_record(row))) + b"\n"  # type: ignore[no-untyped-call]  # pymarc has no annotation there


_MAX_MARC_BYTES = 99_999
_MARC_NAMESPACE = b"http://www.loc.gov/MARC21/slim"
_WRITERS: dict[ExportFormat, tuple[bytes, Callable[[Row], bytes], bytes]] = {
    ExportFormat.CSV: (b"\xef\xbb\xbf" + _csv_line(list(_FIELDS)), _csv_row, b""),
    ExportFormat.JSONL: (b"", _json_line, b""),
    ExportFormat.MARC21: (b"", _marc, b""),
    ExportFormat.MARCXML: (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<collection xmlns="%b">\n' % _MARC_NAMESPACE,
        _marc_xml,
        b"</collection>\n",
    ),
}
