"""ETags of single resources and the If-Match check that prevents lost updates."""

import hashlib
import json
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import Header, Response
from pydantic import BaseModel

from backend.shared.errors import StaleVersion
from backend.shared.web.envelope import Answer, answer

T = TypeVar("T")

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="The ETag last read; 412 if it has changed"),
]


Version = int | datetime | str | BaseModel


def etag(version: Version) -> str:
    """Return a strong ETag for a row's version, the time of its last change, or its content."""
    if isinstance(version, BaseModel):
        return f'"{hashlib.sha256(version.model_dump_json().encode()).hexdigest()[:24]}"'
    if isinstance(version, str):
        return f'"{version}"'
    number = version if isinstance(version, int) else int(version.timestamp() * 1_000_000)
    return f'"{number:x}"'


def check(if_match: str | None, version: Version) -> None:
    """Raise StaleVersion if an If-Match is given and does not match the current version."""
    if if_match is None:
        return
    tags = {tag.strip() for tag in if_match.split(",")}
    if tags.isdisjoint({"*", etag(version)}):
        raise StaleVersion


def tag_version(response: Response) -> Response:
    """Add the ETag of the `version` that the answered resource names."""
    response.headers["ETag"] = etag(int(json.loads(bytes(response.body))["data"]["version"]))
    return response


def tagged(response: Response, data: T, version: Version) -> Answer[T]:
    """Answer one resource with its ETag."""
    response.headers["ETag"] = etag(version)
    return answer(data)
