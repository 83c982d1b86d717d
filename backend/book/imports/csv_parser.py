"""From the bytes of an uploaded file to its rows, from any place on, in little memory.

The file lies in the database in pieces. A batch begins at a byte that the one before has noted,
so lines are parted as bytes (UTF-8 and Windows-1252 both allow it) and decoded one by one.
"""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from backend.book.imports import header_mapping as columns_

PIECE = 1024 * 1024  # bytes
_LONGEST_LINE = 1024 * 1024  # bytes
_SEPARATORS = (",", ";", "\t")
_BOM = b"\xef\xbb\xbf"
CSV, JSON = "CSV", "JSON"
Pieces = Callable[[int], bytes | None]


class UnreadableFileError(Exception):
    """The file as a whole can't be read; the message tells a person why."""


@dataclass(frozen=True)
class Record:
    """A row: its first line, where it ends, and its values by field, or what is wrong with it."""

    line: int
    end_offset: int
    end_line: int
    values: dict[str, Any]
    problem: str | None = None


@dataclass(frozen=True)
class Layout:
    """How a file is to be read; `offset` and `line` are where its rows begin."""

    format: str
    encoding: str
    separator: str
    line_end: bytes
    columns: columns_.Columns
    width: int  # cells of the header
    offset: int
    line: int


class _Tape:
    """The decoded lines of a file from a place on; knows where it stands."""

    def __init__(self, pieces: Pieces, layout: Layout, offset: int, line: int) -> None:
        self.pieces, self.layout = pieces, layout
        self.wind_to(offset, line)

    def wind_to(self, offset: int, line: int) -> None:
        self.offset, self.line = offset, line
        self._lines = _lines(self.pieces, self.layout.line_end, offset)

    def __iter__(self) -> "_Tape":
        return self

    def __next__(self) -> str:
        raw = next(self._lines)
        self.offset += len(raw)
        self.line += 1
        return raw.decode(self.layout.encoding, "replace")


def _lines(pieces: Pieces, line_end: bytes, offset: int) -> Iterator[bytes]:
    number, skipped = divmod(offset, PIECE)
    rest = b""
    while piece := pieces(number):
        *whole, rest = (rest + piece[skipped:]).split(line_end)
        number, skipped = number + 1, 0
        for line in whole:
            yield line + line_end
        if len(rest) > _LONGEST_LINE:
            raise UnreadableFileError("A line is longer than 1 MiB: this is no table of books.")
    if rest:
        yield rest


def layout_of(pieces: Pieces, kind: str, encoding: str) -> Layout:
    """The layout of a file, told from its beginning; UnreadableFileError without usable columns."""
    head = pieces(0) or b""
    start = len(_BOM) if head.startswith(_BOM) else 0
    line_end = b"\r" if b"\r" in head and b"\n" not in head else b"\n"
    bare = Layout(kind, encoding, ",", line_end, (), 0, start, 0)
    if kind == JSON:
        return bare
    found = max(
        (_with_header(pieces, bare, separator) for separator in _SEPARATORS),
        key=lambda layout: len(layout.columns),
    )
    missing = columns_.missing(found.columns)
    if missing:
        raise UnreadableFileError(
            f"The first line must name the columns; there is none for: {', '.join(missing)}."
        )
    return found


def _with_header(pieces: Pieces, bare: Layout, separator: str) -> Layout:
    """The layout if this were the separator."""
    tape = _Tape(pieces, bare, bare.offset, 0)
    try:
        header = next((row for row in csv.reader(tape, delimiter=separator) if any(row)), [])
    except csv.Error:
        header = []
    return Layout(
        bare.format,
        bare.encoding,
        separator,
        bare.line_end,
        columns_.of(header),
        len(header),
        tape.offset,
        tape.line,
    )


def records(pieces: Pieces, layout: Layout, offset: int, line: int) -> Iterator[Record]:
    """The rows from `offset` on, before which `line` lines stand."""
    tape = _Tape(pieces, layout, offset, line)
    return _json_records(tape) if layout.format == JSON else _csv_records(tape)


def _json_records(tape: _Tape) -> Iterator[Record]:
    for text in tape:
        given = json.loads(text)
        if isinstance(given, dict):
            values = {columns_.field_of(name) or name: value for name, value in given.items()}
            yield Record(tape.line, tape.offset, tape.line, values)
        else:
            yield Record(tape.line, tape.offset, tape.line, {}, "a book must be an object")


def _csv_records(tape: _Tape) -> Iterator[Record]:
    """Rows may go over several lines. After a broken one reading goes on in the next line."""
    while True:
        start_offset, start_line = tape.offset, tape.line
        reader = csv.reader(tape, delimiter=tape.layout.separator, strict=True)
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield _record(tape, start_line + 1, cells)
                start_offset, start_line = tape.offset, tape.line
        except csv.Error as error:
            tape.wind_to(start_offset, start_line)
            next(tape)
            problem = f"the row can't be taken apart: {error}"
            yield Record(start_line + 1, tape.offset, tape.line, {}, problem)
        else:
            return


def _record(tape: _Tape, line: int, cells: list[str]) -> Record:
    if any(cell.strip() for cell in cells[tape.layout.width :]):
        problem = f"it has {len(cells)} cells, the header {tape.layout.width}"
        return Record(line, tape.offset, tape.line, {}, problem)
    values: dict[str, str] = {}
    for field, place in tape.layout.columns:
        cell = cells[place].strip() if place < len(cells) else ""
        if cell:
            values.setdefault(field, cell)
    return Record(line, tape.offset, tape.line, values)
