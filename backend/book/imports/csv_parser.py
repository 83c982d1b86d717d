"""Parse the rows of an uploaded file from any byte offset, in constant memory and linear time.

The file is stored in the database in pieces. A batch starts at the byte offset where the previous
one ended, so lines are split as bytes (valid in UTF-8 and Windows-1252) and decoded one by one.
"""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from backend.book.imports import header_mapping, spreadsheet

PIECE_BYTES = 1024 * 1024
MAX_RECORD_BYTES = 256 * 1024  # a cell is bounded by csv.field_size_limit, 128 Ki characters
# Bytes that may be read twice because quotes do not close: this many, and twice those read once.
_RESCAN_BYTES = 4 * 1024 * 1024
_RESCAN_RATIO = 2
_SEEK_COST = 1024  # bytes that a seek counts as, at least
_SEPARATORS = (",", ";", "\t", "|", "^", "~", ":")
_TOO_LONG = f"it is longer than {MAX_RECORD_BYTES // 1024} KiB"
_BOM = b"\xef\xbb\xbf"
CSV, XLSX = "CSV", "XLSX"  # a workbook is stored as CSV
JSON, JSONL = "JSON", "JSONL"  # a JSON body is stored as lines
# A cell that a spreadsheet would run as a formula, as exports guard it: by one apostrophe.
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
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
    source: Mapping[str, Any] | None = None  # the row as uploaded, by column
    is_lenient: bool = False  # a value that is not valid is left out, as far as it may be absent


@dataclass(frozen=True)
class Layout:
    """Format of a file; its rows begin at `offset`, after `line` lines."""

    format: str
    encoding: str
    separator: str
    line_end: bytes
    columns: header_mapping.Columns
    header: tuple[str, ...]
    offset: int
    line: int


class _RecordTooLongError(csv.Error):
    """A record exceeds MAX_RECORD_BYTES, usually because a quote never closes."""


class _LineReader:
    """Iterate over the decoded lines of a file from an offset on; tracks its position."""

    def __init__(self, pieces: Pieces, layout: Layout, offset: int, line: int) -> None:
        self.pieces, self.layout = pieces, layout
        self.first_offset = offset
        self.seek(offset, line)

    def seek(self, offset: int, line: int) -> None:
        self.offset, self.line = offset, line
        self._lines = _lines(self.pieces, self.layout.line_end, offset)
        self.begin_record()

    def begin_record(self) -> None:
        """Start counting the bytes of the next record."""
        self._record_offset = self.offset

    def __iter__(self) -> "_LineReader":
        return self

    def __next__(self) -> str:
        raw = next(self._lines)
        self.offset += len(raw)
        if self.offset - self._record_offset > MAX_RECORD_BYTES:
            self._skip_line(raw)
            raise _RecordTooLongError(_TOO_LONG)
        self.line += 1
        return raw.decode(self.layout.encoding, "replace")

    def _skip_line(self, raw: bytes) -> None:
        """Read on to the end of the current line."""
        while not raw.endswith(self.layout.line_end):
            more = next(self._lines, None)
            if more is None:
                break
            raw = more
            self.offset += len(raw)
        self.line += 1


def _lines(pieces: Pieces, line_end: bytes, offset: int) -> Iterator[bytes]:
    """Iterate over lines; one that is longer than a record may come in several parts."""
    number, start = divmod(offset, PIECE_BYTES)
    rest = b""
    while piece := pieces(number):
        while (end := piece.find(line_end, start)) >= 0:
            yield rest + piece[start : end + len(line_end)]
            rest, start = b"", end + len(line_end)
        rest += piece[start:]
        number, start = number + 1, 0
        if len(rest) > MAX_RECORD_BYTES:
            yield rest
            rest = b""
    if rest:
        yield rest


def detect_layout(pieces: Pieces, kind: str, encoding: str) -> Layout:
    """Detect the layout from the start of a file; UnreadableFileError without usable columns."""
    head = pieces(0) or b""
    start = len(_BOM) if head.startswith(_BOM) else 0
    line_end = b"\r" if b"\r" in head and b"\n" not in head else b"\n"
    without_columns = Layout(kind, encoding, ",", line_end, (), (), start, 0)
    if kind in {JSON, JSONL}:
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
        header=tuple(header),
        offset=reader.offset,
        line=reader.line,
    )


def read_records(pieces: Pieces, layout: Layout, offset: int, line: int) -> Iterator[Record]:
    """Read the rows from `offset` on, which follows `line` lines."""
    reader = _LineReader(pieces, layout, offset, line)
    is_json = layout.format in {JSON, JSONL}
    return _json_records(reader) if is_json else _csv_records(reader)


def _json_records(reader: _LineReader) -> Iterator[Record]:
    while True:
        reader.begin_record()
        try:
            text = next(reader, None)
        except _RecordTooLongError as error:
            yield _refused(reader, reader.line, str(error))
            continue
        if text is None:
            return
        if text.strip():
            yield _json_record(reader, text)


def _json_record(reader: _LineReader, text: str) -> Record:
    try:
        book = json.loads(text)
    except (ValueError, RecursionError):
        return _refused(reader, reader.line, "it is not valid JSON")
    if not isinstance(book, dict):
        return _refused(reader, reader.line, "a book must be an object")
    values = {header_mapping.field_of(name) or name: value for name, value in book.items()}
    return Record(reader.line, reader.offset, reader.line, values, source=book)


def _csv_records(reader: _LineReader) -> Iterator[Record]:
    """A row may span lines. After a malformed one parsing resumes at the next line.

    When quotes never close, each line would be read as often as there are lines before it. So the
    bytes read again are bounded; past the bound parsing resumes where the malformed row ended.
    """
    rescanned = 0
    while True:
        start_offset, start_line = reader.offset, reader.line
        reader.begin_record()
        rows = csv.reader(reader, delimiter=reader.layout.separator, strict=True)
        try:
            for cells in rows:
                if any(cell.strip() for cell in cells):
                    yield _record(reader, start_line + 1, cells)
                start_offset, start_line = reader.offset, reader.line
                reader.begin_record()
        except csv.Error as error:
            if reader.line > start_line + 1:
                rescanned += max(reader.offset - start_offset, _SEEK_COST)
                read_once = start_offset - reader.first_offset
                if rescanned <= _RESCAN_BYTES + _RESCAN_RATIO * read_once:
                    reader.seek(start_offset, start_line)
                    next(reader)
            yield _refused(reader, start_line + 1, f"malformed CSV: {error}")
        else:
            return


def _refused(
    reader: _LineReader, line: int, problem: str, source: Mapping[str, Any] | None = None
) -> Record:
    return Record(line, reader.offset, reader.line, {}, problem, source)


def _record(reader: _LineReader, line: int, cells: list[str]) -> Record:
    header = reader.layout.header
    source = dict(zip_longest(header, cells[: len(header)], fillvalue=""))
    if any(cell.strip() for cell in cells[len(header) :]):
        problem = f"it has {len(cells)} cells, the header {len(header)}"
        return _refused(reader, line, problem, source)
    values: dict[str, str] = {}
    for field, index in reader.layout.columns:
        cell = cells[index].strip() if index < len(cells) else ""
        if _GUARDED.match(cell):
            cell = cell[1:]
        if reader.layout.format == XLSX:
            cell = cell.replace(spreadsheet.LINE_BREAK, "\n")
        if cell:
            values.setdefault(field, cell)
    return Record(line, reader.offset, reader.line, values, source=source)
