"""Parse the rows of an uploaded file from any byte offset, in constant memory.

The file is stored in the database in pieces. A batch starts at the byte offset where the previous
one ended, so lines are split as bytes (valid in UTF-8 and Windows-1252) and decoded one by one.
"""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from backend.book.imports import header_mapping

PIECE_BYTES = 1024 * 1024
_MAX_LINE_BYTES = 1024 * 1024
_SEPARATORS = (",", ";", "\t")
_BOM = b"\xef\xbb\xbf"
CSV, JSON = "CSV", "JSON"
Pieces = Callable[[int], bytes | None]  # by number; None past the end


class UnreadableFileError(Exception):
    """The file cannot be read; the message gives the reason."""


@dataclass(frozen=True)
class Record:
    """A row: its first line, where it ends, and its values by field or its problem."""

    line: int
    end_offset: int
    end_line: int
    values: dict[str, Any]
    problem: str | None = None


@dataclass(frozen=True)
class Layout:
    """Format of a file; its rows begin at `offset`, after `line` lines."""

    format: str
    encoding: str
    separator: str
    line_end: bytes
    columns: header_mapping.Columns
    width: int  # cells of the header
    offset: int
    line: int


class _LineReader:
    """Iterate over the decoded lines of a file from an offset on; tracks its position."""

    def __init__(self, pieces: Pieces, layout: Layout, offset: int, line: int) -> None:
        self.pieces, self.layout = pieces, layout
        self.seek(offset, line)

    def seek(self, offset: int, line: int) -> None:
        self.offset, self.line = offset, line
        self._lines = _lines(self.pieces, self.layout.line_end, offset)

    def __iter__(self) -> "_LineReader":
        return self

    def __next__(self) -> str:
        raw = next(self._lines)
        self.offset += len(raw)
        self.line += 1
        return raw.decode(self.layout.encoding, "replace")


def _lines(pieces: Pieces, line_end: bytes, offset: int) -> Iterator[bytes]:
    number, skipped = divmod(offset, PIECE_BYTES)
    rest = b""
    while piece := pieces(number):
        *whole, rest = (rest + piece[skipped:]).split(line_end)
        number, skipped = number + 1, 0
        for line in whole:
            yield line + line_end
        if len(rest) > _MAX_LINE_BYTES:
            raise UnreadableFileError("A line is longer than 1 MiB: the file is not a CSV table.")
    if rest:
        yield rest


def detect_layout(pieces: Pieces, kind: str, encoding: str) -> Layout:
    """Detect the layout from the start of a file; UnreadableFileError without usable columns."""
    head = pieces(0) or b""
    start = len(_BOM) if head.startswith(_BOM) else 0
    line_end = b"\r" if b"\r" in head and b"\n" not in head else b"\n"
    without_columns = Layout(kind, encoding, ",", line_end, (), 0, start, 0)
    if kind == JSON:
        return without_columns
    found = max(
        (_with_header(pieces, without_columns, separator) for separator in _SEPARATORS),
        key=lambda layout: len(layout.columns),
    )
    missing = header_mapping.missing_fields(found.columns)
    if missing:
        raise UnreadableFileError(
            f"The first line must name the columns; missing: {', '.join(missing)}."
        )
    return found


def _with_header(pieces: Pieces, layout: Layout, separator: str) -> Layout:
    """Return the layout with the columns that this separator gives."""
    reader = _LineReader(pieces, layout, layout.offset, 0)
    try:
        header = next((row for row in csv.reader(reader, delimiter=separator) if any(row)), [])
    except csv.Error:
        header = []
    return replace(
        layout,
        separator=separator,
        columns=header_mapping.map_columns(header),
        width=len(header),
        offset=reader.offset,
        line=reader.line,
    )


def read_records(pieces: Pieces, layout: Layout, offset: int, line: int) -> Iterator[Record]:
    """Read the rows from `offset` on, which follows `line` lines."""
    reader = _LineReader(pieces, layout, offset, line)
    return _json_records(reader) if layout.format == JSON else _csv_records(reader)


def _json_records(reader: _LineReader) -> Iterator[Record]:
    for text in reader:
        book = json.loads(text)
        if isinstance(book, dict):
            values = {header_mapping.field_of(name) or name: value for name, value in book.items()}
            yield Record(reader.line, reader.offset, reader.line, values)
        else:
            yield Record(reader.line, reader.offset, reader.line, {}, "a book must be an object")


def _csv_records(reader: _LineReader) -> Iterator[Record]:
    """A row may span lines. After a malformed one parsing resumes at the next line."""
    while True:
        start_offset, start_line = reader.offset, reader.line
        rows = csv.reader(reader, delimiter=reader.layout.separator, strict=True)
        try:
            for cells in rows:
                if any(cell.strip() for cell in cells):
                    yield _record(reader, start_line + 1, cells)
                start_offset, start_line = reader.offset, reader.line
        except csv.Error as error:
            reader.seek(start_offset, start_line)
            next(reader)
            problem = f"malformed CSV: {error}"
            yield Record(start_line + 1, reader.offset, reader.line, {}, problem)
        else:
            return


def _record(reader: _LineReader, line: int, cells: list[str]) -> Record:
    if any(cell.strip() for cell in cells[reader.layout.width :]):
        problem = f"it has {len(cells)} cells, the header {reader.layout.width}"
        return Record(line, reader.offset, reader.line, {}, problem)
    values: dict[str, str] = {}
    for field, index in reader.layout.columns:
        cell = cells[index].strip() if index < len(cells) else ""
        if cell:
            values.setdefault(field, cell)
    return Record(line, reader.offset, reader.line, values)
