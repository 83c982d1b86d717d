"""Parse a search text: words, quoted phrases, minus, field prefixes, ISBN. Any text is valid."""

import re
from dataclasses import dataclass, field

from backend.book.schemas import isbn

# What a prefix restricts, and the weight label of that part of a title.
LABELS = {"title": "A", "author": "B", "subject": "C", "publisher": "D"}
_NAMES = {
    **{name: name for name in LABELS},
    "by": "author",
    "isbn": "isbn",
    "year": "year",
    "language": "language",
    "lang": "language",
}
_TERM = re.compile(
    r"""(?P<minus>(?<!\S)-)?(?:(?P<name>[a-zA-Z]+):(?=\S))?(?:"(?P<quoted>[^"]*)"?|(?P<word>[^\s"]+))"""
)
_YEARS = re.compile(r"(-?\d{1,4})?(?:(\.\.)(-?\d{1,4})?)?")
# Digits with whatever people write between them.
_BETWEEN_DIGITS = re.compile(r"[\s./_\-\u2010-\u2015\u2212]+")
_ISBN = re.compile(rf"(?:[\dxX]|{_BETWEEN_DIGITS.pattern})+")
_MIN_WITHOUT_ZEROS = 8  # digits: a shorter number may well be a title
_ISBN_MARK = re.compile(r"^\s*(?:urn:)?isbn(?:[-\s]?1[03]\b)?[-:=#.\s]*", re.IGNORECASE)


@dataclass(frozen=True)
class Term:
    """A word or phrase that must, or must not, match."""

    text: str
    label: str = ""  # "" in any part of a title
    is_phrase: bool = False


@dataclass
class ParsedQuery:
    """What a search text asks for."""

    text: str  # plain words in their order, for corrections and ranking
    isbn: str | None = None  # the whole text is an ISBN
    required: list[Term] = field(default_factory=list)
    excluded: list[Term] = field(default_factory=list)
    isbns: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    year_from: int | None = None
    year_to: int | None = None


def parse(text: str) -> ParsedQuery:
    """Parse a search text; what is no syntax is a word."""
    number = _isbn(_ISBN_MARK.sub("", text))
    if number is not None:
        return ParsedQuery(text, isbn=number)
    parsed = ParsedQuery("")
    words: list[str] = []
    for found in _TERM.finditer(text):
        name = _NAMES.get((found["name"] or "").lower())
        quoted = found["quoted"]
        value = quoted if quoted is not None else found["word"]
        if found["name"] and name is None:
            value = f"{found['name']} {value}"
        if _restricts(parsed, name, value):
            continue
        term = Term(value, LABELS.get(name or "", ""), is_phrase=quoted is not None)
        if found["minus"] and not value.endswith("-"):  # "-word-" sets off a subtitle
            parsed.excluded.append(term)
        elif term.label or term.is_phrase:
            parsed.required.append(term)
        else:
            words.append(value)
    parsed.text = " ".join(words)
    return parsed


def _isbn(text: str) -> str | None:
    """Return the ISBN that the whole text is, in whatever spelling."""
    if _ISBN.fullmatch(text) is None:
        return None
    digits = _BETWEEN_DIGITS.sub("", text)
    lacks_zeros = len(digits) >= _MIN_WITHOUT_ZEROS
    return isbn.normalize(digits) or (isbn.restore_leading_zeros(digits) if lacks_zeros else None)


def _restricts(parsed: ParsedQuery, name: str | None, value: str) -> bool:
    """Apply a prefix that is no text search; False when it is a word after all."""
    if name == "isbn":
        parsed.isbns.append(isbn.normalize(value) or value)
    elif name == "language":
        parsed.languages.append(value.lower())
    elif name == "year" and (years := _YEARS.fullmatch(value)) and value not in {"", ".."}:
        first, span, last = years.groups()
        parsed.year_from = int(first) if first else None
        parsed.year_to = int(last) if last else None if span else parsed.year_from
    else:
        return False
    return True
