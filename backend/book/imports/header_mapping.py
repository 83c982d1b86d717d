"""Which column of a file is which field of a title: header names as libraries write them."""

import re
from collections.abc import Sequence

# The first of a field's columns that holds something counts.
_NAMES: dict[str, tuple[str, ...]] = {
    "title": ("title", "booktitle", "originaltitle", "titel", "titre", "titulo"),
    "subtitle": ("subtitle",),
    "author": ("author", "authors", "creator", "autor", "auteur", "verfasser"),
    "contributors": ("contributors",),
    "isbn": ("isbn", "isbn10"),
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
    "copies": ("copies", "numberofcopies", "quantity"),
}
_FIELD_OF = {name: field for field, names in _NAMES.items() for name in names}
_NEEDED = ("title", "author")
Columns = tuple[tuple[str, int], ...]


def field_of(header: str) -> str | None:
    """The field that a header names, in any case and with any spaces or underscores."""
    return _FIELD_OF.get(re.sub(r"[\W_]+", "", header.casefold()))


def of(header: Sequence[str]) -> Columns:
    """(field, place) of every column that is known, the preferred names first."""
    known = [(field_of(name), place) for place, name in enumerate(header)]
    by_preference = sorted(
        ((field, place) for field, place in known if field is not None),
        key=lambda column: _preference(column[0], header[column[1]]),
    )
    return tuple(by_preference)


def missing(columns: Columns) -> list[str]:
    """Fields that every file must have a column for and this one has not."""
    present = {field for field, _ in columns}
    return [field for field in _NEEDED if field not in present]


def _preference(field: str, header: str) -> int:
    return _NAMES[field].index(re.sub(r"[\W_]+", "", header.casefold()))
