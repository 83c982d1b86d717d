"""Validated field types of titles and copies, for clients and imports alike."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, TypeAdapter, ValidationError

from backend.book.schemas import isbn
from backend.shared.web.schemas import FilledText, PlainText

MIN_YEAR, MAX_YEAR = -3000, 2100  # years before Christ are negative
_MAX_AUTHOR_BYTES = 1600  # limit of a database index entry
_URL = TypeAdapter(HttpUrl)


class Scheme(StrEnum):
    """What an identifier of a title, besides its ISBN, is."""

    ISBN = "ISBN"
    CANCELLED_ISBN = "CANCELLED_ISBN"
    ISSN = "ISSN"
    LCCN = "LCCN"
    OCLC = "OCLC"
    DOI = "DOI"
    OTHER = "OTHER"


def _valid_isbn(text: str) -> str:
    normalized = isbn.normalize(text)
    if normalized is None:
        raise ValueError("must be an ISBN-10 or ISBN-13 with a valid check digit")
    return normalized


def _fits_index(author: str) -> str:
    if len(author.encode()) > _MAX_AUTHOR_BYTES:
        raise ValueError(f"must be at most {_MAX_AUTHOR_BYTES} bytes of UTF-8")
    return author


def _valid_url(text: str) -> str:
    try:
        _URL.validate_python(text)
    except ValidationError as error:
        raise ValueError("must be a web address (http or https)") from error
    return text


def _blank_to_null(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def not_null(value: Any) -> Any:
    """Refuse null in a partial update, where only omission means unchanged."""
    if value is None:
        raise ValueError("must not be null")
    return value


_BlankToNull = BeforeValidator(_blank_to_null)

Isbn = Annotated[PlainText, Field(max_length=32), AfterValidator(_valid_isbn)]
Title = Annotated[FilledText, Field(max_length=500)]
Author = Annotated[FilledText, Field(max_length=1000), AfterValidator(_fits_index)]
Subject = Annotated[FilledText, Field(max_length=200)]
Subjects = Annotated[list[Subject], Field(max_length=50)]
Contributor = Annotated[FilledText, Field(max_length=300)]
Contributors = Annotated[list[Contributor], Field(max_length=50)]
Identifier = Annotated[FilledText, Field(max_length=200)]
Identifiers = dict[Scheme, Annotated[list[Identifier], Field(max_length=50)]]
Year = Annotated[int, Field(strict=True, ge=MIN_YEAR, le=MAX_YEAR)]
OptionalIsbn = Annotated[Isbn | None, _BlankToNull]
OptionalLine = Annotated[Annotated[PlainText, Field(max_length=300)] | None, _BlankToNull]
OptionalCode = Annotated[Annotated[PlainText, Field(max_length=64)] | None, _BlankToNull]
OptionalText = Annotated[Annotated[PlainText, Field(max_length=20_000)] | None, _BlankToNull]
OptionalUrl = Annotated[
    Annotated[PlainText, Field(max_length=2000), AfterValidator(_valid_url)] | None, _BlankToNull
]
CopyCount = Annotated[int, Field(strict=True, ge=0, le=1000)]
Barcode = Annotated[
    FilledText,
    Field(max_length=64, pattern=r"^[\x21-\x7e]+$"),
    AfterValidator(str.upper),
]
