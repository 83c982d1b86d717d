"""Read the JSON body `{"books": […]}` of an import element by element, in constant memory.

Each book becomes one line of a file. The body is decoded in a window that always holds a whole
element, so that nested or huge bodies never become Python objects as a whole.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn, TextIO

from backend.book.imports import csv_parser
from backend.shared.errors import MalformedJson, PayloadTooLarge, invalid

_BLANK = re.compile(r"[ \t\r\n]*")
_CHUNK = 1024 * 1024  # characters
_MAX_ELEMENT = csv_parser.MAX_RECORD_BYTES  # characters


def _refuse_constant(_: str) -> NoReturn:
    raise MalformedJson  # NaN and Infinity


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


class _Window:
    """A part of the body; decodes one value at a time from its position."""

    def __init__(self, body: TextIO) -> None:
        self._body = body
        self._text = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """Return the next character that is not blank, "" at the end; do not consume it."""
        while True:
            self._fill()
            found = _BLANK.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""

    def take(self, expected: str) -> str:
        """Consume the next character, which must be one of `expected`."""
        found = self.peek()
        if not found or found not in expected:
            raise MalformedJson
        self._at += 1
        return found

    def value(self) -> Any:
        """Decode the value that begins here; PayloadTooLarge beyond the size of a record."""
        self.peek()
        try:
            value, end = _DECODER.raw_decode(self._text, self._at)
        except (ValueError, RecursionError) as error:
            if not self._ended and len(self._text) - self._at >= _MAX_ELEMENT:
                too_long = f"must be smaller than {_MAX_ELEMENT // 1024} KiB each"
                raise PayloadTooLarge(fields={"books": [too_long]}) from error
            raise MalformedJson from error
        self._at = end
        return value

    def _fill(self) -> None:
        if self._ended or len(self._text) - self._at > _MAX_ELEMENT:
            return
        more = self._body.read(_CHUNK)
        self._ended = len(more) < _CHUNK
        self._text = self._text[self._at :] + more
        self._at = 0


def copy_books(body: TextIO, lines: BinaryIO) -> bool:
    """Write each book of the body as a line; return the body's `dry_run`."""
    window = _Window(body)
    count: int | None = None
    dry_run: Any = False
    if window.peek() != "{":
        window.value()
        raise invalid("body", "must be an object with books")
    for name in _members(window):
        if name == "books" and window.peek() == "[":
            count = _copy(window, lines)
        elif name in {"books", "dry_run"}:
            value = window.value()
            count, dry_run = (0, dry_run) if name == "books" else (count, value)
        else:
            raise invalid(name, "is not a known field")
    if window.peek():
        raise MalformedJson
    if not count:
        raise invalid("books", "must be a list of at least one book")
    if not isinstance(dry_run, bool):
        raise invalid("dry_run", "must be true or false")
    return dry_run


def _members(window: _Window) -> Iterator[str]:
    """Iterate over the names of an object; the caller consumes each value."""
    window.take("{")
    if window.peek() == "}":
        window.take("}")
        return
    while True:
        if window.peek() != '"':
            raise MalformedJson
        name = window.value()
        window.take(":")
        yield str(name)
        if window.take(",}") == "}":
            return


def _copy(window: _Window, lines: BinaryIO) -> int:
    """Write the elements of an array, one a line; return their number."""
    window.take("[")
    count = 0
    if window.peek() == "]":
        window.take("]")
        return count
    while True:
        # ASCII: lone surrogates stay what they are and are refused with their row.
        lines.write(json.dumps(window.value()).encode() + b"\n")
        count += 1
        if window.take(",]") == "]":
            return count
