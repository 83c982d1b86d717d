"""Detect format and encoding of an upload; refuse what cannot be imported."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import PurePath
from typing import BinaryIO

from backend.book.imports import csv_parser, json_body
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
    (re.compile(rb"[^\0\n]*\0"), "Binary"),  # in a later line it is an error of its row
)
_SIGNATURE_BYTES = 4096
_MAX_NAME_LENGTH = 255


@dataclass(frozen=True)
class Upload:
    """A file that can be imported; `content` is on disk."""

    name: str | None
    format: str
    encoding: str
    content: BinaryIO


def read_csv(name: str | None, content: BinaryIO, kind: str | None) -> Upload:
    """Check a CSV file; Invalid or UnsupportedMediaType unless its header names usable columns."""
    _refuse_other_formats(name, content.read(_SIGNATURE_BYTES), kind)
    if not any(piece.strip() for piece in _pieces(content)):
        raise invalid("file", "is empty")
    upload = Upload(_storable(name), csv_parser.CSV, _encoding(content), content)

    def piece(number: int) -> bytes:
        content.seek(number * csv_parser.PIECE_BYTES)
        return content.read(csv_parser.PIECE_BYTES)

    try:
        csv_parser.detect_layout(piece, upload.format, upload.encoding)
    except csv_parser.UnreadableFileError as error:
        raise invalid("file", str(error)) from error
    return upload


def read_json(body: BinaryIO, lines: BinaryIO) -> tuple[Upload, bool]:
    """Write the books of a JSON body as one line each; return them and the body's `dry_run`."""
    reader = TextIOWrapper(body, encoding="utf-8", newline="")
    try:
        dry_run = json_body.copy_books(reader, lines)
    except UnicodeDecodeError as error:
        raise MalformedJson from error
    finally:
        reader.detach()  # or collecting it would close the body
    return Upload(None, csv_parser.JSON, "utf-8", lines), dry_run


def _storable(name: str | None) -> str | None:
    """Return a file name that PostgreSQL can store."""
    if name is None:
        return None
    return name.replace("\0", "␀").encode(errors="replace").decode()[:_MAX_NAME_LENGTH]


def _pieces(content: BinaryIO) -> Iterator[bytes]:
    content.seek(0)
    return iter(lambda: content.read(csv_parser.PIECE_BYTES), b"")


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


def _encoding(content: BinaryIO) -> str:
    """Return UTF-8 if all bytes are valid, else Windows-1252, the most common other one."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in _pieces(content):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
