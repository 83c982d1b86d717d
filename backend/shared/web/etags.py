"""ETags of single resources, and the If-Match that keeps two writers from undoing one another."""

from datetime import datetime
from typing import Annotated

from fastapi import Header

from backend.shared.errors import StaleVersion

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="The ETag last read; 412 when it is no longer that"),
]


def etag(version: int | datetime) -> str:
    """A strong ETag from a row's version or the moment it was last changed."""
    number = version if isinstance(version, int) else int(version.timestamp() * 1_000_000)
    return f'"{number:x}"'


def check(if_match: str | None, current: str) -> None:
    """StaleVersion unless the caller's If-Match, when given, names the present state."""
    if if_match is None:
        return
    named = {tag.strip() for tag in if_match.split(",")}
    if "*" not in named and current not in named:
        raise StaleVersion
