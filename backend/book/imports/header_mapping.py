"""Map the columns of a file to fields of a title by their usual header names."""

import re
from collections.abc import Sequence

# In order of preference: a field takes the first of its columns that is not empty.
_NAMES: dict[str, tuple[str, ...]] = {
    "title": (
        "title",
        "booktitle",
        "originaltitle",
        "titel",
        "titre",
        "titulo",
        "titolo",
        "bookname",
    ),
    "subtitle": ("subtitle",),
    "author": (
        *("author", "authors", "creator", "by", "mainauthor"),
        *("autor", "autorin", "auteur", "verfasser", "autore"),
    ),
    "contributors": ("contributors",),
    "isbn": ("isbn", "isbn10", "isbnnumber", "isbnissn"),
    "isbn13": ("isbn13", "ean", "ean13"),
    "publisher": ("publisher", "publishername", "verlag", "editeur", "editorial"),
    "publication_year": (
        *("publicationyear", "year", "yearpublished", "originalpublicationyear"),
        *("jahr", "annee"),
    ),
    "edition": ("edition",),
    "language": ("language", "languagecode", "lang", "sprache"),
    "subjects": ("subjects", "subject", "keywords", "genres"),
    "description": ("description", "summary", "abstract"),
    "cover_image_url": ("coverimageurl", "imageurl", "cover"),
    "call_number": ("callnumber", "callno", "signatur"),
    "shelf_location": ("shelflocation", "shelf"),
    "other_identifiers": ("otheridentifiers",),
    "copies": ("copies", "numberofcopies", "quantity"),
}
_FIELD_OF = {name: field for field, names in _NAMES.items() for name in names}
_REQUIRED = ("title",)
Columns = tuple[tuple[str, int], ...]


def field_of(header: str) -> str | None:
    """Return the field of a header; case, spaces and underscores are ignored."""
    return _FIELD_OF.get(_normalize(header))


def map_columns(header: Sequence[str]) -> Columns:
    """Return (field, index) of each known column, preferred names first."""
    fields = [(field_of(name), index) for index, name in enumerate(header)]
    known = [(field, index) for field, index in fields if field is not None]
    known.sort(key=lambda column: _NAMES[column[0]].index(_normalize(header[column[1]])))
    return tuple(known)


def missing_fields(columns: Columns) -> list[str]:
    """Return the required fields without a column."""
    present = {field for field, _ in columns}
    return [field for field in _REQUIRED if field not in present]


def _normalize(header: str) -> str:
    return re.sub(r"[\W_]+", "", header.casefold())
