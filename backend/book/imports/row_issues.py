"""What an import has to say about a row: refused (ERROR) or taken with a reservation (WARNING)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from backend.shared.models import Severity

_SHOWN = 200  # characters of a value that a remark repeats


class Code(StrEnum):
    """Why; each is documented by its message."""

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
    """`row` is the line of the file where the row begins (the header stands on line 1)."""

    row: int
    severity: Severity
    code: Code
    message: str
    field: str | None = None
    value: str | None = None


def warning(
    row: int, code: Code, message: str, field: str | None = None, value: Any = None
) -> RowIssue:
    return RowIssue(row, Severity.WARNING, code, message, field, _shown(value))


def refusal(
    row: int, code: Code, message: str, field: str | None = None, value: Any = None
) -> RowIssue:
    return RowIssue(row, Severity.ERROR, code, message, field, _shown(value))


def _shown(value: Any) -> str | None:
    """The value as the database can hold it, cut where it grows long."""
    if value is None:
        return None
    return str(value)[:_SHOWN].replace("\0", "␀").encode(errors="replace").decode()
