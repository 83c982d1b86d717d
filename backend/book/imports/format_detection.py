"""Detect format and encoding of an upload; refuse what cannot be imported."""

import codecs
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO

from pydantic_core import from_json, to_json

from backend.book.imports import csv_parser
from backend.shared.errors import MalformedJson, UnsupportedMediaType, invalid

_UNSUPPORTED = '{kind} files are not supported. Send CSV, or a JSON body {{"books": […]}}.'
_PLANNED_FORMATS = ("XLSX", "MARC21", "MARCXML", "JSONL")
_BY_SUFFIX = {
    ".xlsx": "Excel",
    ".xls": "Excel",
    ".ods": "Spreadsheet",
    ".mrc": "MARC21",
    ".marc": "MARC21",
    ".xml": "XML",
    ".json": "JSON",
    ".jsonl": "JSON lines",
    ".ndjson": "JSON lines",
    ".pdf": "PDF",
    ".zip": "Zip",
}
_BY_SIGNATURE = (
    (re.compile(rb"PK\x03\x04"), "Excel"),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "Excel"),
    (re.compile(rb"\xff\xfe|\xfe\xff"), "UTF-16"),
    (re.compile(rb"\s*<"), "XML"),
    (re.compile(rb"\s*[\[{]"), "JSON"),
    (re.compile(rb"\d{5}[acdnp][a-z]"), "MARC21"),
    (re.compile(rb"[^\0]*\0"), "Binary"),
)
_SIGNATURE_BYTES = 4096


@dataclass(frozen=True)
class Upload:
    """A file that can be imported, in pieces of `csv_parser.PIECE_BYTES`."""

    name: str | None
    format: str
    encoding: str
    pieces: list[bytes]


def read_csv(name: str | None, content: BinaryIO, kind: str | None) -> Upload:
    """Read a CSV file; Invalid or UnsupportedMediaType unless its header names usable columns."""
    _refuse_other_formats(name, content.read(_SIGNATURE_BYTES), kind)
    content.seek(0)
    pieces = list(iter(lambda: content.read(csv_parser.PIECE_BYTES), b""))
    if not any(piece.strip() for piece in pieces):
        raise invalid("file", "is empty")
    upload = Upload(name, csv_parser.CSV, _encoding(pieces), pieces)
    try:
        csv_parser.detect_layout(
            lambda number: pieces[number] if number < len(pieces) else None,
            upload.format,
            upload.encoding,
        )
    except csv_parser.UnreadableFileError as error:
        raise invalid("file", str(error)) from error
    return upload


def read_json(books: list[Any]) -> Upload:
    """Store the books of a JSON body as one line each."""
    content = b"".join(to_json(book) + b"\n" for book in books)
    pieces = [
        content[start : start + csv_parser.PIECE_BYTES]
        for start in range(0, len(content), csv_parser.PIECE_BYTES)
    ]
    return Upload(None, csv_parser.JSON, "utf-8", pieces)


def parse_json(body: bytes) -> Any:
    """Parse a body; MalformedJson when it is invalid or nested too deeply."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedJson from error


def _refuse_other_formats(name: str | None, head: bytes, kind: str | None) -> None:
    wanted = (kind or csv_parser.CSV).upper()
    if wanted in _PLANNED_FORMATS:
        raise UnsupportedMediaType(_UNSUPPORTED.format(kind=wanted))
    if wanted != csv_parser.CSV:
        raise invalid("format", f"must be one of: {csv_parser.CSV}, {', '.join(_PLANNED_FORMATS)}")
    by_suffix = _BY_SUFFIX.get(PurePath(name or "").suffix.lower())
    by_content = next((name for pattern, name in _BY_SIGNATURE if pattern.match(head)), None)
    if by_suffix or by_content:
        raise UnsupportedMediaType(_UNSUPPORTED.format(kind=by_suffix or by_content))


def _encoding(pieces: list[bytes]) -> str:
    """Return UTF-8 if all bytes are valid, else Windows-1252, the most common other one."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in pieces:
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
