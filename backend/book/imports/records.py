"""Read the records of a stored file, whatever its format."""

from collections.abc import Iterator

from backend.book.imports import csv_parser, marc_reader
from backend.book.imports.csv_parser import Layout, Pieces, Record


def detect_layout(pieces: Pieces, kind: str, encoding: str) -> Layout:
    """Detect the layout from the start of a file; UnreadableFileError without usable columns."""
    if kind in marc_reader.FORMATS:
        return Layout(kind, encoding, "", b"", (), (), 0, 0)
    return csv_parser.detect_layout(pieces, kind, encoding)


def read(pieces: Pieces, layout: Layout, offset: int, line: int) -> Iterator[Record]:
    """Read the records from `offset` on, which follows `line` lines (of MARC: records)."""
    if layout.format in marc_reader.FORMATS:
        return marc_reader.read_records(pieces, layout, offset, line)
    return csv_parser.read_records(pieces, layout, offset, line)
