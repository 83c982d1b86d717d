"""The envelope of every response (api.md §1)."""

import json
from typing import Any, Generic, Literal, TypeVar

from fastapi import Response
from pydantic import BaseModel

from backend.shared.infra import clock, ids, request_context

T = TypeVar("T")


class Meta(BaseModel):
    timestamp: str
    request_id: str


class Answer(BaseModel, Generic[T]):
    """A successful response."""

    success: Literal[True] = True
    data: T
    meta: Meta


class Pagination(BaseModel):
    page: int
    limit: int
    total: int
    total_pages: int
    next_cursor: str | None = None


class PageAnswer(BaseModel, Generic[T]):
    """One page of a list."""

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
        timestamp=clock.iso(clock.now()),
        request_id=request_context.current().request_id or ids.request_id(),
    )


def answer(data: T) -> Answer[T]:
    return Answer(data=data, meta=meta())


def _enveloped(data: bytes) -> bytes:
    """Wrap data that is already JSON."""
    request_id = request_context.current().request_id or ids.request_id()
    return b'{"success":true,"data":%b,"meta":{"timestamp":"%b","request_id":"%b"}}' % (
        data,
        clock.iso(clock.now()).encode(),
        request_id.encode(),
    )


class _Json(Response):
    """A response whose headers are ready to be sent: those of Response take half of its time."""

    def __init__(self, body: bytes, headers: dict[str, str]) -> None:
        self.status_code, self.body, self.background = 200, body, None
        self.raw_headers = [
            (b"content-length", b"%d" % len(body)),
            (b"content-type", b"application/json"),
            *((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()),
        ]


def json_response(data: BaseModel | bytes, **headers: str) -> Response:
    """Return the response of a hot or cached read, without FastAPI's validation of it.

    `data` is a model or its JSON; a page is `data` followed by `"pagination"`.
    """
    if isinstance(data, BaseModel):
        data = data.model_dump_json().encode()
    return _Json(_enveloped(data), headers)


def failure(code: str, message: str, details: dict[str, Any]) -> bytes:
    """Return the error envelope; what is not Unicode in the details is replaced by `?`."""
    text = json.dumps(details, default=str, ensure_ascii=False).encode(errors="replace")
    problem = Problem(code=code, message=_as_unicode(message), details=json.loads(text))
    return Failure(error=problem, meta=meta()).model_dump_json().encode()


def _as_unicode(text: str) -> str:
    return text.encode(errors="replace").decode()
