"""Detect format and encoding of an upload; refuse what cannot be imported."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import PurePath
from tempfile import TemporaryFile
from typing import BinaryIO

from backend.book.imports import csv_parser, json_body, marc_reader, spreadsheet
from backend.shared.errors import MalformedJson, UnsupportedMediaType, invalid

FORMATS = (
    csv_parser.CSV,
    csv_parser.XLSX,
    csv_parser.JSONL,
    marc_reader.MARC21,
    marc_reader.MARCXML,
)
_UNSUPPORTED = "{kind} files are not supported. Send one of: " + ", ".join(FORMATS) + "."
_BY_SUFFIX = {
    ".csv": csv_parser.CSV,
    ".tsv": csv_parser.CSV,
    ".txt": csv_parser.CSV,
    ".xlsx": csv_parser.XLSX,
    ".mrc": marc_reader.MARC21,
    ".marc": marc_reader.MARC21,
    ".xml": marc_reader.MARCXML,
    ".jsonl": csv_parser.JSONL,
    ".ndjson": csv_parser.JSONL,
    ".xls": "Old Excel",
    ".ods": "OpenDocument",
    ".pdf": "PDF",
    ".zip": "Zip",
}
_BY_SIGNATURE = (
    (re.compile(rb"PK\x03\x04"), csv_parser.XLSX),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "Old Excel"),
    (re.compile(rb"\xff\xfe|\xfe\xff"), "UTF-16"),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*<"), marc_reader.MARCXML),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*\{"), csv_parser.JSONL),
    (re.compile(rb"\d{5}[acdnp ][a-z ]"), marc_reader.MARC21),
    (re.compile(rb"[^\0\n]*\0"), "Binary"),  # in a later line it is an error of its row
)
_XML_ENCODING = re.compile(rb"<\?xml[^>]*encoding=[\"']([\w-]+)")
_SIGNATURE_BYTES = 4096
_MAX_NAME_LENGTH = 255


@dataclass(frozen=True)
class Upload:
    """A file that can be imported; `content` is on disk."""

    name: str | None
    format: str
    encoding: str
    content: BinaryIO


def read_file(name: str | None, content: BinaryIO, kind: str | None) -> Upload:
    """Check a file; Invalid or UnsupportedMediaType unless titles can be read from it.

    A workbook is converted to CSV in a file of its own, which the caller closes.
    """
    content.seek(0)
    head = content.read(_SIGNATURE_BYTES)
    format_ = _detect(name, head, kind)
    if not any(piece.strip() for piece in _pieces(content)):
        raise invalid("file", "is empty")
    if format_ in marc_reader.FORMATS:
        _check_xml(head)
        return Upload(_storable(name), format_, "utf-8", content)
    if format_ == csv_parser.XLSX:
        content = _converted(content)
    upload = Upload(_storable(name), format_, _encoding(content), content)
    if format_ != csv_parser.JSONL:
        _check_header(upload)
    return upload


def _converted(workbook: BinaryIO) -> BinaryIO:
    content = TemporaryFile()  # noqa: SIM115 (the caller closes it)
    try:
        spreadsheet.to_csv(workbook, content)
    except BaseException:
        content.close()
        raise
    return content


def _check_header(upload: Upload) -> None:
    """Refuse a table whose header names no usable columns."""

    def piece(number: int) -> bytes:
        upload.content.seek(number * csv_parser.PIECE_BYTES)
        return upload.content.read(csv_parser.PIECE_BYTES)

    try:
        csv_parser.detect_layout(piece, upload.format, upload.encoding)
    except csv_parser.UnreadableFileError as error:
        raise invalid("file", str(error)) from error


def _check_xml(head: bytes) -> None:
    """Refuse entities, and encodings in which tags are no ASCII."""
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise invalid("file", "must not declare a document type")
    encoding = _XML_ENCODING.search(head)
    if encoding and encoding[1].lower() not in {b"utf-8", b"utf8", b"us-ascii"}:
        raise UnsupportedMediaType(_UNSUPPORTED.format(kind=encoding[1].decode() + " encoded"))


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


def _detect(name: str | None, head: bytes, kind: str | None) -> str:
    """Return the format: the one that is given, else that of the content, else of the name."""
    wanted = (kind or "").upper()
    if wanted and wanted not in FORMATS:
        raise invalid("format", f"must be one of: {', '.join(FORMATS)}")
    by_content = next((found for pattern, found in _BY_SIGNATURE if pattern.match(head)), None)
    by_suffix = _BY_SUFFIX.get(PurePath(name or "").suffix.lower())
    found = wanted or by_content or by_suffix or csv_parser.CSV
    if found not in FORMATS:
        raise UnsupportedMediaType(_UNSUPPORTED.format(kind=found))
    if by_content and by_content != found and by_content not in marc_reader.FORMATS:
        raise UnsupportedMediaType(f"The file is not {found} but {by_content}.")
    return found


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
