"""Tell why a title matches: the fields that contain words of the search."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from backend.book.schemas.search import FieldMatch
from backend.book.search.matching import Matches

# Letters that Unicode does not decompose, as unaccent writes them.
_LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_DROPPED = re.compile(r"['`´’]")
_WORD = re.compile(r"[^\W_]+")
_FIELDS = ("title", "subtitle", "author", "subjects", "publisher")
_MIN_PREFIX = 2


def of(book: Any, found: Matches) -> list[FieldMatch]:
    """Return the matching fields of a title."""
    if found.isbn is not None:
        return [FieldMatch(field="isbn", text=found.isbn)]
    wanted = {word for text in found.words for word in _fold(text)}
    last = found.text.rpartition(" ")[2]
    return [
        FieldMatch(field=name, text=text)
        for name in _FIELDS
        for text in _texts(getattr(book, name))
        if _contains(text, wanted, last)
    ]


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return [value]
    return value or []


def _contains(text: str, wanted: set[str], last: str) -> bool:
    words = _fold(text)
    return any(
        word in wanted or (len(last) >= _MIN_PREFIX and word.startswith(last)) for word in words
    )


def _fold(text: str) -> list[str]:
    decomposed = unicodedata.normalize("NFKD", _DROPPED.sub("", text.casefold()))
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _WORD.findall(plain.translate(_LETTERS))
