"""What the database can store: text, JSON and times of clients are checked here and only here."""

import math
from datetime import UTC, datetime
from typing import Any

MAX_JSON_DEPTH = 32
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def check_text(text: str) -> str:
    """Refuse NUL, which PostgreSQL cannot store, and lone surrogates, which UTF-8 cannot encode."""
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("must be valid Unicode") from error
    return text


def check_json(value: Any, depth: int = MAX_JSON_DEPTH) -> Any:
    """Refuse text that can't be stored, NaN and infinite numbers, and more than 32 levels."""
    if depth == 0:
        raise ValueError(f"must not be nested more than {MAX_JSON_DEPTH} levels deep")
    if isinstance(value, str):
        return check_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must not contain NaN or infinite numbers")
    if isinstance(value, dict):
        for name, inner in value.items():
            check_text(name)
            check_json(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            check_json(inner, depth - 1)
    return value


def check_time(moment: datetime) -> datetime:
    """Convert to UTC, which a time without an offset is taken for; refuse distant years."""
    try:
        in_utc = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be between 1900 and 2200") from error
    if not EARLIEST <= in_utc < LATEST:
        raise ValueError("must be between 1900 and 2200")
    return in_utc
