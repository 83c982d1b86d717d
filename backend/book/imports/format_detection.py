"""What was uploaded: its kind by name and content, its encoding by all its bytes."""

import codecs
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO

from pydantic_core import from_json, to_json

from backend.book.imports import csv_parser
from backend.shared.errors import MalformedJson, UnsupportedMediaType, invalid

_ONLY_CSV = '{kind} files can\'t be imported yet. Send CSV, or a JSON body {{"books": […]}}.'
_LATER = ("XLSX", "MARC21", "MARCXML", "JSONL")
_BY_ENDING = {
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
_BY_BEGINNING = (
    (re.compile(rb"PK\x03\x04"), "Excel"),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "Excel"),
    (re.compile(rb"\xff\xfe|\xfe\xff"), "UTF-16"),
    (re.compile(rb"\s*<"), "XML"),
    (re.compile(rb"\s*[\[{]"), "JSON"),
    (re.compile(rb"\d{5}[acdnp][a-z]"), "MARC21"),
    (re.compile(rb"[^\0]*\0"), "Binary"),
)
_HEAD = 4096


@dataclass(frozen=True)
class Upload:
    """A file that can be imported, in pieces of `reading.PIECE` bytes."""

    name: str | None
    format: str
    encoding: str
    pieces: list[bytes]


def csv_file(name: str | None, content: BinaryIO, kind: str | None) -> Upload:
    """A CSV file whose first line names usable columns; else an error says what is wrong."""
    _refuse_other_kinds(name, content.read(_HEAD), kind)
    content.seek(0)
    pieces = list(iter(lambda: content.read(csv_parser.PIECE), b""))
    if not any(piece.strip() for piece in pieces):
        raise invalid("file", "is empty")
    upload = Upload(name, csv_parser.CSV, _encoding(pieces), pieces)
    try:
        csv_parser.layout_of(piece_of(pieces), upload.format, upload.encoding)
    except csv_parser.UnreadableFileError as error:
        raise invalid("file", str(error)) from error
    return upload


def json_books(books: list[Any]) -> Upload:
    """Books of a JSON body, kept as a line each."""
    content = b"".join(to_json(book) + b"\n" for book in books)
    pieces = [
        content[start : start + csv_parser.PIECE]
        for start in range(0, len(content), csv_parser.PIECE)
    ]
    return Upload(None, csv_parser.JSON, "utf-8", pieces)


def parse(body: bytes) -> Any:
    """The JSON of a body; MalformedJson when it is none, or nested beyond reason."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedJson from error


def piece_of(pieces: list[bytes]) -> csv_parser.Pieces:
    return lambda number: pieces[number] if number < len(pieces) else None


def _refuse_other_kinds(name: str | None, head: bytes, kind: str | None) -> None:
    wanted = (kind or csv_parser.CSV).upper()
    if wanted in _LATER:
        raise UnsupportedMediaType(_ONLY_CSV.format(kind=wanted))
    if wanted != csv_parser.CSV:
        raise invalid("format", f"must be one of: {csv_parser.CSV}, {', '.join(_LATER)}")
    told = _BY_ENDING.get(PurePath(name or "").suffix.lower())
    seen = next((found for pattern, found in _BY_BEGINNING if pattern.match(head)), None)
    if told or seen:
        raise UnsupportedMediaType(_ONLY_CSV.format(kind=told or seen))


def _encoding(pieces: list[bytes]) -> str:
    """UTF-8 when every byte fits it, else Windows-1252, in which most other files are."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in pieces:
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
