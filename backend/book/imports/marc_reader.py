"""Read MARC21 (ISO 2709) and MARCXML records from any byte offset, one at a time.

pymarc is imported by the first record: it loads large tables of characters.
"""

import logging
import re
import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from backend.book.imports.csv_parser import PIECE_BYTES, Layout, Pieces
from backend.book.imports.csv_parser import Record as ImportRecord

if TYPE_CHECKING:
    from pymarc import Record

MARC21, MARCXML = "MARC21", "MARCXML"
FORMATS = frozenset({MARC21, MARCXML})
_MAX_RECORD_BYTES = 99_999  # the largest length that a leader can state
_MAX_XML_BYTES = 1024 * 1024
_LENGTH_DIGITS = 5
_RECORD_END = b"\x1d"
_LOST = "its length does not lead to its end, so that the file cannot be read any further"
_BLANK = b" \r\n\t\x00\x1a"
_XML_START = re.compile(rb"<(?:(\w+):)?record[\s>]")
_XML_HEAD = b'<collection xmlns="http://www.loc.gov/MARC21/slim">%b</collection>'
_XML_PREFIXED_HEAD = b'<%b:collection xmlns:%b="http://www.loc.gov/MARC21/slim">%b</%b:collection>'

logging.getLogger("pymarc").setLevel(logging.CRITICAL)  # its warnings are not those of a row
logging.getLogger("pymarc.marc8").setLevel(logging.CRITICAL)


class _Window:
    """The bytes of a file from an offset on, of which only a part is in memory."""

    def __init__(self, pieces: Pieces, offset: int) -> None:
        self._pieces = pieces
        self.offset = offset  # of the first byte in memory
        self._number, skipped = divmod(offset, PIECE_BYTES)
        self.bytes = b""
        self.more()
        self.bytes = self.bytes[skipped:]

    def more(self) -> bool:
        """Read another piece; False at the end of the file."""
        piece = self._pieces(self._number)
        self._number += 1
        self.bytes += piece or b""
        return bool(piece)

    def need(self, number: int) -> None:
        while len(self.bytes) < number and self.more():
            pass

    def drop(self, number: int) -> None:
        self.bytes = self.bytes[number:]
        self.offset += number

    def drop_rest(self) -> None:
        """Go to the end of the file."""
        self.drop(len(self.bytes))
        while self.more():
            self.drop(len(self.bytes))


def read_records(
    pieces: Pieces, layout: Layout, offset: int, number: int
) -> Iterator[ImportRecord]:
    """Read the records from `offset` on, which follows `number` records."""
    window = _Window(pieces, offset)
    chunks = _xml_chunks(window) if layout.format == MARCXML else _binary_chunks(window)
    parse = _parse_xml if layout.format == MARCXML else _parse_binary
    for at, (chunk, lost) in enumerate(chunks, number + 1):
        values, problem = _values(parse, chunk) if lost is None else ({}, lost)
        yield ImportRecord(at, window.offset, at, values, problem, is_lenient=True)


def _binary_chunks(window: _Window) -> Iterator[tuple[bytes, str | None]]:
    while True:
        window.need(_MAX_RECORD_BYTES)
        window.drop(len(window.bytes) - len(window.bytes.lstrip(_BLANK)))
        if not window.bytes:
            return
        digits = window.bytes[:_LENGTH_DIGITS]
        length = int(digits) if digits.isdigit() else 0
        if not length or window.bytes[length - 1 : length] != _RECORD_END:
            window.drop_rest()
            yield b"", _LOST
            return
        chunk = window.bytes[:length]
        window.drop(length)
        yield chunk, None


def _xml_chunks(window: _Window) -> Iterator[tuple[bytes, str | None]]:
    while True:
        start = _XML_START.search(window.bytes)
        if start is None:
            window.drop(max(len(window.bytes) - 64, 0))  # a tag may continue in the next piece
            if not window.more():
                window.drop_rest()
                return
            continue
        window.drop(start.start())
        prefix = start[1]
        end = b"</%b:record>" % prefix if prefix else b"</record>"
        while (found := window.bytes.find(end)) < 0 and len(window.bytes) <= _MAX_XML_BYTES:
            if not window.more():
                break
        if found < 0:
            window.drop_rest()
            yield b"", "it does not end within 1 MiB"
            return
        chunk = window.bytes[: found + len(end)]
        window.drop(len(chunk))
        head = _XML_PREFIXED_HEAD % (prefix, prefix, chunk, prefix) if prefix else None
        yield head or _XML_HEAD % chunk, None


def _values(parse: Any, chunk: bytes) -> tuple[dict[str, Any], str | None]:
    from backend.book.imports import marc_mapping

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            record = parse(chunk)
        return marc_mapping.to_values(record), None
    except Exception as error:  # noqa: BLE001 (of pymarc, expat, SAX and codecs alike)
        return {}, f"the MARC record is damaged ({type(error).__name__})"


def _parse_binary(chunk: bytes) -> "Record":
    """Decode by the bytes rather than by the leader, which often lies about the encoding."""
    from pymarc import Record

    try:
        chunk.decode("utf-8")
        is_utf8 = any(byte > 0x7F for byte in chunk) or chunk[9:10] == b"a"  # noqa: PLR2004 (ASCII)
    except UnicodeDecodeError:
        is_utf8 = False
    leader_position = b"a" if is_utf8 else b" "
    return Record(
        data=chunk[:9] + leader_position + chunk[10:], to_unicode=True, utf8_handling="replace"
    )


def _parse_xml(chunk: bytes) -> "Record":
    from pymarc import parse_xml_to_array

    found: list[Record | None] = parse_xml_to_array(BytesIO(chunk))  # type: ignore[no-untyped-call]  # pymarc has no annotation there
    if len(found) != 1 or found[0] is None:
        raise ValueError("no record")
    return found[0]
