"""Validate the values of a record and convert them to a title."""

import json
import re
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from backend.book.imports.csv_parser import Record
from backend.book.imports.row_issues import IssueCode, RowIssue, error, warning
from backend.book.schemas import isbn
from backend.book.schemas.imports import ImportedBook
from backend.shared.models import Severity

# A number rounded by a spreadsheet: its digits are lost.
_LOSSY = re.compile(r"^[+-]?\d+([.,]\d*)?[eE][+-]?\d+$|^\d+[.,]\d+$")
_WHOLE_NUMBER = re.compile(r"^([+-]?\d{1,5})([.,]0+)?$")
_LISTS = ("subjects", "contributors")
_ONE_LINE = ("title", "subtitle", "author", "publisher", "edition", "call_number", "shelf_location")
_INVALID_ISBNS = "invalid_isbns"  # of a MARC record
_EMPTY: tuple[Any, ...] = (None, "")
_CODES = {
    "title": IssueCode.TITLE_MISSING,
    "author": IssueCode.AUTHOR_MISSING,
    "publication_year": IssueCode.YEAR_INVALID,
    "copies": IssueCode.COPIES_INVALID,
}


def validate(record: Record) -> tuple[ImportedBook | None, list[RowIssue]]:
    """Return the title with its warnings, or None with the errors of the row."""
    if record.problem is not None:
        message = f"Row refused: {record.problem}."
        return None, [error(record.line, IssueCode.ROW_UNREADABLE, message)]
    unused = _unused(record)
    given = {name: value for name, value in record.values.items() if name != _INVALID_ISBNS}
    converted = {name: _convert(name, value) for name, value in given.items()}
    values = {name: value for name, value in converted.items() if value not in _EMPTY}
    number, warnings = _resolve_isbn(
        record.line, values.pop("isbn", None), values.pop("isbn13", None)
    )
    try:
        book = ImportedBook.model_validate({**values, "isbn": number})
    except ValidationError as invalid:
        errors = _errors(record, invalid)
        names = {each.field for each in errors}
        if not record.is_lenient or "title" in names:
            return None, errors
        warnings += [replace(each, severity=Severity.WARNING) for each in errors]
        left = {name: value for name, value in values.items() if name not in names}
        book = ImportedBook.model_validate({**left, "isbn": number})
    if book.author is None:
        message = "The row has no author."
        warnings.append(warning(record.line, IssueCode.AUTHOR_MISSING, message, "author"))
    return book, [*warnings, *unused]


def _unused(record: Record) -> list[RowIssue]:
    """Return the warnings of a MARC record about ISBNs that are not valid."""
    message = "Invalid ISBN: it is left out."
    return [
        warning(record.line, IssueCode.ISBN_INVALID, message, "isbn", text)
        for text in record.values.get(_INVALID_ISBNS, ())
    ]


def _convert(field: str, value: Any) -> Any:
    """Convert a cell to the type of its field; return it unchanged if it cannot be."""
    if field in {"isbn", "isbn13"}:
        return None if value is None else str(value).strip("=\"' \t")
    if field in {"publication_year", "copies"}:
        found = _WHOLE_NUMBER.match(str(value).strip())
        return int(found[1]) if found and not isinstance(value, bool) else value
    if not isinstance(value, str):
        return value
    if value.startswith(("[", "{")) and field in {*_LISTS, "other_identifiers"}:
        return _from_json(value)
    if field in _LISTS:
        return _split(value)
    return " ".join(value.split()) if field in _ONE_LINE else value


def _from_json(text: str) -> Any:
    """Decode a list or mapping as exports write it; return the text if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _split(text: str) -> list[str]:
    separator = next((char for char in ";|" if char in text), ",")
    return list(dict.fromkeys(filter(None, (part.strip() for part in text.split(separator)))))


def _resolve_isbn(
    row: int, short: str | None, long: str | None
) -> tuple[str | None, list[RowIssue]]:
    """Return the valid ISBN-13 of the columns isbn and isbn13, or None with the reason."""
    found = short and (isbn.normalize(short) or isbn.restore_leading_zeros(short))
    if found:
        return found, []
    found = isbn.normalize(long) if long else None
    if short:
        code = IssueCode.ISBN_LOSSY if _LOSSY.match(short) else IssueCode.ISBN_INVALID
        result = "the ISBN-13 column is used" if found else "the book is imported without one"
        return found, [warning(row, code, f"Invalid ISBN: {result}.", "isbn", short)]
    if found:
        return found, []
    if not long:
        return None, [warning(row, IssueCode.ISBN_MISSING, "The row has no ISBN.", "isbn")]
    if _LOSSY.match(long):
        message = "A spreadsheet rounded this ISBN-13: the book is imported without one."
        return None, [warning(row, IssueCode.ISBN13_LOSSY, message, "isbn13", long)]
    message = "Invalid ISBN: the book is imported without one."
    return None, [warning(row, IssueCode.ISBN_INVALID, message, "isbn13", long)]


def _errors(record: Record, invalid: ValidationError) -> list[RowIssue]:
    return [
        error(
            record.line,
            _code(str(violation["loc"][0]), violation["type"], violation["input"]),
            f"{'Left out' if record.is_lenient else 'Row refused'}: {violation['loc'][0]}: "
            f"{violation['msg'].removeprefix('Value error, ')}.",
            str(violation["loc"][0]),
            None if violation["type"] == "missing" else violation["input"],
        )
        for violation in invalid.errors()
    ]


def _code(field: str, kind: str, value: Any) -> IssueCode:
    if kind == "extra_forbidden":
        return IssueCode.FIELD_UNKNOWN
    if field in {"title", "author"} and not (kind == "missing" or value in _EMPTY):
        return IssueCode.VALUE_INVALID
    return _CODES.get(field, IssueCode.VALUE_INVALID)
