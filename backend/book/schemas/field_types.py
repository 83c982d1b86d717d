"""The values a title may have: one place for their limits, for clients and for imports alike."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, TypeAdapter, ValidationError

from backend.book.schemas import isbn
from backend.shared.web.schemas import FilledText, PlainText

EARLIEST_YEAR, LATEST_YEAR = -3000, 2100  # years before Christ are negative
_AUTHOR_BYTES = 1600  # what an index of the database can hold
_URL = TypeAdapter(HttpUrl)


def _checked_isbn(given: str) -> str:
    found = isbn.canonical(given)
    if found is None:
        raise ValueError("must be an ISBN-10 or ISBN-13 whose check digit is right")
    return found


def _fits_the_index(author: str) -> str:
    if len(author.encode()) > _AUTHOR_BYTES:
        raise ValueError(f"must be at most {_AUTHOR_BYTES} bytes of UTF-8")
    return author


def _web_address(given: str) -> str:
    try:
        _URL.validate_python(given)
    except ValidationError as error:
        raise ValueError("must be a web address (http or https)") from error
    return given


def _blank_is_nothing(given: Any) -> Any:
    return None if isinstance(given, str) and not given.strip() else given


_OrNothing = BeforeValidator(_blank_is_nothing)


Isbn = Annotated[PlainText, Field(max_length=32), AfterValidator(_checked_isbn)]
Title = Annotated[FilledText, Field(max_length=500)]
Author = Annotated[FilledText, Field(max_length=1000), AfterValidator(_fits_the_index)]
Subject = Annotated[FilledText, Field(max_length=200)]
Subjects = Annotated[list[Subject], Field(max_length=50)]
Contributor = Annotated[FilledText, Field(max_length=300)]
Contributors = Annotated[list[Contributor], Field(max_length=50)]
Year = Annotated[int, Field(strict=True, ge=EARLIEST_YEAR, le=LATEST_YEAR)]
# What may be absent; blank is absent too.
MaybeIsbn = Annotated[Isbn | None, _OrNothing]
MaybeLine = Annotated[Annotated[PlainText, Field(max_length=300)] | None, _OrNothing]
MaybeCode = Annotated[Annotated[PlainText, Field(max_length=64)] | None, _OrNothing]
MaybeText = Annotated[Annotated[PlainText, Field(max_length=20_000)] | None, _OrNothing]
MaybeAddress = Annotated[
    Annotated[PlainText, Field(max_length=2000), AfterValidator(_web_address)] | None, _OrNothing
]
CopyCount = Annotated[int, Field(strict=True, ge=0, le=1000)]
Barcode = Annotated[
    FilledText,
    Field(max_length=64, pattern=r"^[\x21-\x7e]+$"),
    AfterValidator(str.upper),
]
