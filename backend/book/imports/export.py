"""Export all titles as CSV, XLSX, JSON lines, MARC21 or MARCXML, a part at a time.

pymarc is imported by the first export of its formats: it loads large tables of characters.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import chain, islice
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from stdnum import isbn as isbn_format

from backend.book.imports import spreadsheet
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
_REASON = ("code", "message")  # the last columns of a refused row
Row = dict[str, Any]


class ExportFormat(StrEnum):
    """The format of an export."""

    CSV = "CSV"
    XLSX = "XLSX"
    JSONL = "JSONL"
    MARC21 = "MARC21"
    MARCXML = "MARCXML"


MEDIA_TYPES = {
    ExportFormat.CSV: ("text/csv; charset=utf-8", "csv"),
    ExportFormat.XLSX: (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
    ),
    ExportFormat.JSONL: ("application/jsonl", "jsonl"),
    ExportFormat.MARC21: ("application/marc", "mrc"),
    ExportFormat.MARCXML: ("application/marcxml+xml", "xml"),
}


def chunks(open_connection: Callable[[], Connection], kind: ExportFormat) -> Iterator[bytes]:
    """Read the titles in order of their ids and yield them in the format; memory is constant."""
    rows = _all_rows(open_connection)
    if kind is ExportFormat.XLSX:
        yield from spreadsheet.from_rows(chain([list(_FIELDS)], map(_cells, rows)))
        return
    head, write, tail = _WRITERS[kind]
    yield head
    while part := b"".join(map(write, islice(rows, _CHUNK))):
        yield part
    yield tail


def _all_rows(open_connection: Callable[[], Connection]) -> Iterator[Row]:
    """Read a part at a time; no connection is open between two parts."""
    last = None
    while True:
        with open_connection() as connection:
            rows = _rows(connection, last)
        if not rows:
            return
        last = rows[-1]["id"]
        yield from rows


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


def _cells(row: Row) -> list[str]:
    return [guard(_cell(name, row[name])) for name in _FIELDS]


def _csv_row(row: Row) -> bytes:
    return _csv_line(_cells(row))


def table(names: Iterable[str], rows: Iterable[Mapping[Any, Any]]) -> bytes:
    """Return rows as CSV, guarded like titles."""
    columns = list(names)
    lines = (
        _csv_line([guard("" if row[name] is None else str(row[name])) for name in columns])
        for row in rows
    )
    return b"\xef\xbb\xbf" + _csv_line(columns) + b"".join(lines)


def refused_rows(errors: Iterable[Any]) -> bytes:
    """Return the refused rows of an import as uploaded, with their codes and messages, as CSV."""
    sources: dict[int, dict[str, str]] = {}
    reasons: dict[int, list[tuple[str, str]]] = {}
    for error in errors:
        sources.setdefault(error.row, {}).update(error.source or {})
        reasons.setdefault(error.row, []).append((error.code, error.message))
    names = dict.fromkeys(name for source in sources.values() for name in source)
    columns = [*(name for name in names if name not in _REASON), *_REASON]
    rows = (
        {**dict.fromkeys(columns), **sources[row]}
        | dict(zip(_REASON, map("; ".join, zip(*found, strict=True)), strict=True))
        for row, found in reasons.items()
    )
    return table(columns, rows)


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
    from backend.book.imports import marc_mapping

    record = bytes(marc_mapping.to_record(row).as_marc())
    if len(record) > _MAX_MARC_BYTES:
        record = bytes(marc_mapping.to_record({**row, "description": None}).as_marc())
    return record


def _marc_xml(row: Row) -> bytes:
    from pymarc import record_to_xml

    from backend.book.imports import marc_mapping

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
