"""From a row's values to a title that may be imported, and what is to be remarked on it."""

import re
from typing import Any

from pydantic import ValidationError

from backend.book.imports.csv_parser import Record
from backend.book.imports.row_issues import Code, RowIssue, refusal, warning
from backend.book.schemas import isbn
from backend.book.schemas.books import BookCreate

# A number that went through a spreadsheet: digits are lost, so nothing is guessed from it.
_LOSSY = re.compile(r"^[+-]?\d+([.,]\d*)?[eE][+-]?\d+$|^\d+[.,]\d+$")
_WHOLE_NUMBER = re.compile(r"^([+-]?\d{1,5})([.,]0+)?$")
_LISTS = ("subjects", "contributors")
_ONE_LINE = ("title", "subtitle", "author", "publisher", "edition", "call_number", "shelf_location")
_NOTHING: tuple[Any, ...] = (None, "")
_CODES = {
    "title": Code.TITLE_MISSING,
    "author": Code.AUTHOR_MISSING,
    "publication_year": Code.YEAR_INVALID,
    "copies": Code.COPIES_INVALID,
}


def read(record: Record) -> tuple[BookCreate | None, list[RowIssue]]:
    """The title of a row with its warnings, or None with what is wrong with it."""
    if record.problem is not None:
        return None, [refusal(record.line, Code.ROW_UNREADABLE, f"Row refused: {record.problem}.")]
    cleaned = {name: _cleaned(name, value) for name, value in record.values.items()}
    values = {name: value for name, value in cleaned.items() if value not in _NOTHING}
    number, remarks = _isbn_of(record.line, values.pop("isbn", None), values.pop("isbn13", None))
    try:
        book = BookCreate.model_validate({**values, "isbn": number})
    except ValidationError as error:
        return None, _refusals(record, error)
    return book, remarks


def _cleaned(field: str, value: Any) -> Any:
    """A cell's text as the field's type where it reads as one; anything else as it stands."""
    if field in {"isbn", "isbn13"}:
        return None if value is None else str(value).strip("=\"' \t")
    if field in {"publication_year", "copies"}:
        found = _WHOLE_NUMBER.match(str(value).strip())
        return int(found[1]) if found and not isinstance(value, bool) else value
    if not isinstance(value, str):
        return value
    if field in _LISTS:
        return _listed(value)
    return " ".join(value.split()) if field in _ONE_LINE else value


def _listed(text: str) -> list[str]:
    separator = next((mark for mark in (";", "|") if mark in text), ",")
    return list(dict.fromkeys(filter(None, (part.strip() for part in text.split(separator)))))


def _isbn_of(row: int, short: str | None, long: str | None) -> tuple[str | None, list[RowIssue]]:
    """The checked ISBN-13 of a row, or none and the one reason why."""
    found = short and (isbn.canonical(short) or isbn.with_zeros_back(short))
    if found:
        return found, []
    found = isbn.canonical(long) if long else None
    if short:
        code = Code.ISBN_LOSSY if _LOSSY.match(short) else Code.ISBN_INVALID
        taken = "the ISBN-13 column was taken." if found else "the book has none now."
        return found, [warning(row, code, f"No valid ISBN: {taken}", "isbn", short)]
    if found:
        return found, []
    if not long:
        return None, [warning(row, Code.ISBN_MISSING, "The row has no ISBN.", "isbn")]
    if _LOSSY.match(long):
        message = "A spreadsheet has rounded this ISBN-13; it is not guessed."
        return None, [warning(row, Code.ISBN13_LOSSY, message, "isbn13", long)]
    message = "No valid ISBN: the book has none now."
    return None, [warning(row, Code.ISBN_INVALID, message, "isbn13", long)]


def _refusals(record: Record, error: ValidationError) -> list[RowIssue]:
    return [
        refusal(
            record.line,
            _code(str(complaint["loc"][0]), complaint["type"], complaint["input"]),
            f"Row refused: {complaint['loc'][0]}: "
            f"{complaint['msg'].removeprefix('Value error, ')}.",
            str(complaint["loc"][0]),
            None if complaint["type"] == "missing" else complaint["input"],
        )
        for complaint in error.errors()
    ]


def _code(field: str, kind: str, given: Any) -> Code:
    if kind == "extra_forbidden":
        return Code.FIELD_UNKNOWN
    if field in {"title", "author"} and not (kind == "missing" or given in _NOTHING):
        return Code.VALUE_INVALID
    return _CODES.get(field, Code.VALUE_INVALID)
