"""The envelope of every answer (api.md §1) and the base of all request and response models."""

import json
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
)

from backend.shared.infra import clock, ids, logs

T = TypeVar("T")


def _no_nul(text: str) -> str:
    """PostgreSQL text holds no NUL; half a surrogate pair has no UTF-8."""
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("must be valid Unicode") from error
    return text


def _not_blank(text: str) -> str:
    if not text:
        raise ValueError("must not be blank")
    return text


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


Timestamp = Annotated[
    datetime,
    PlainSerializer(clock.iso, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
# Text as clients may send it: no NUL, valid Unicode, ends trimmed.
PlainText = Annotated[str, BeforeValidator(_stripped), AfterValidator(_no_nul)]
FilledText = Annotated[PlainText, AfterValidator(_not_blank)]


class RequestModel(BaseModel):
    """What a client sends. Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ResponseModel(BaseModel):
    """What a client gets; made from a row or an object by its attributes."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Meta(BaseModel):
    timestamp: str
    request_id: str


class Answer(BaseModel, Generic[T]):
    """A success."""

    success: Literal[True] = True
    data: T
    meta: Meta


class Pagination(BaseModel):
    page: int
    limit: int
    total: int
    total_pages: int


class PageAnswer(BaseModel, Generic[T]):
    """A success that lists."""

    success: Literal[True] = True
    data: list[T]
    pagination: Pagination
    meta: Meta


class Problem(BaseModel):
    code: str
    message: str
    details: dict[str, Any]


class Failure(BaseModel):
    success: Literal[False] = False
    error: Problem
    meta: Meta


def meta() -> Meta:
    return Meta(
        timestamp=clock.iso(clock.now()), request_id=logs.current_request_id() or ids.request_id()
    )


def answer(data: T) -> Answer[T]:
    return Answer(data=data, meta=meta())


def envelope(data: bytes) -> bytes:
    """An answer around data that is JSON bytes already (cached reads)."""
    return (
        b'{"success":true,"data":' + data + b',"meta":' + meta().model_dump_json().encode() + b"}"
    )


def failure(code: str, message: str, details: dict[str, Any]) -> bytes:
    problem = Problem(
        code=code, message=message, details=json.loads(json.dumps(details, default=str))
    )
    return Failure(error=problem, meta=meta()).model_dump_json().encode()
