"""Row issues of an import: ERROR (row refused) or WARNING (imported in part or corrected)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from backend.shared.models import Severity

_MAX_VALUE_LENGTH = 200  # characters


class IssueCode(StrEnum):
    """The kind of an issue; its message explains it."""

    ISBN_MISSING = "ISBN_MISSING"
    ISBN_INVALID = "ISBN_INVALID"
    ISBN_LOSSY = "ISBN_LOSSY"
    ISBN13_LOSSY = "ISBN13_LOSSY"
    ENCODING_GUESSED = "ENCODING_GUESSED"
    DUPLICATE_ROW = "DUPLICATE_ROW"
    TITLE_DIFFERS = "TITLE_DIFFERS"
    TITLE_MISSING = "TITLE_MISSING"
    AUTHOR_MISSING = "AUTHOR_MISSING"
    YEAR_INVALID = "YEAR_INVALID"
    COPIES_INVALID = "COPIES_INVALID"
    VALUE_INVALID = "VALUE_INVALID"
    FIELD_UNKNOWN = "FIELD_UNKNOWN"
    ROW_UNREADABLE = "ROW_UNREADABLE"


@dataclass(frozen=True)
class RowIssue:
    """An issue; `row` is the line of the file where the row begins (the header is line 1)."""

    row: int
    severity: Severity
    code: IssueCode
    message: str
    field: str | None = None
    value: str | None = None


def warning(
    row: int, code: IssueCode, message: str, field: str | None = None, value: Any = None
) -> RowIssue:
    """Return a WARNING."""
    return RowIssue(row, Severity.WARNING, code, message, field, _excerpt(value))


def error(
    row: int, code: IssueCode, message: str, field: str | None = None, value: Any = None
) -> RowIssue:
    """Return an ERROR."""
    return RowIssue(row, Severity.ERROR, code, message, field, _excerpt(value))


def _excerpt(value: Any) -> str | None:
    """Truncate the value and replace what PostgreSQL text cannot hold."""
    if value is None:
        return None
    return str(value)[:_MAX_VALUE_LENGTH].replace("\0", "␀").encode(errors="replace").decode()
