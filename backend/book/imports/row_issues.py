"""Row issues of an import: ERROR (row refused) or WARNING (imported in part or corrected)."""

import json
from collections.abc import Mapping
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
    return RowIssue(row, Severity.WARNING, code, _clean(message), _excerpt(field), _excerpt(value))


def error(
    row: int, code: IssueCode, message: str, field: str | None = None, value: Any = None
) -> RowIssue:
    """Return an ERROR."""
    return RowIssue(row, Severity.ERROR, code, _clean(message), _excerpt(field), _excerpt(value))


def _excerpt(value: Any) -> str | None:
    """Truncate a value and replace what PostgreSQL text cannot hold."""
    return None if value is None else _clean(str(value)[:_MAX_VALUE_LENGTH])


def storable(source: Mapping[str, Any]) -> dict[str, str]:
    """Return a row as uploaded, its cells as text; a value that is no text is written as JSON."""
    texts = {
        name: value if isinstance(value, str) else "" if value is None else json.dumps(value)
        for name, value in source.items()
    }
    return {_clean(name): _clean(text) for name, text in texts.items()}


def _clean(text: str) -> str:
    return text.replace("\0", "␀").encode(errors="replace").decode()
