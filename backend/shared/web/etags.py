"""ETags of single resources and the If-Match check that prevents lost updates."""

from datetime import datetime
from typing import Annotated

from fastapi import Header

from backend.shared.errors import StaleVersion

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="The ETag last read; 412 if it has changed"),
]


def etag(version: int | datetime) -> str:
    """Return a strong ETag for a row's version or the time of its last change."""
    number = version if isinstance(version, int) else int(version.timestamp() * 1_000_000)
    return f'"{number:x}"'


def check(if_match: str | None, version: int | datetime) -> None:
    """Raise StaleVersion if an If-Match is given and does not match the current version."""
    if if_match is None:
        return
    tags = {tag.strip() for tag in if_match.split(",")}
    if tags.isdisjoint({"*", etag(version)}):
        raise StaleVersion
