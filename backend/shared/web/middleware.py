"""Around every request: its id, one log line, metrics, its size, and the last word on a crash."""

import re
import time
from collections.abc import Awaitable, Callable, Sequence

from prometheus_client import Counter, Histogram
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.shared import errors
from backend.shared.infra import config, ids, logs
from backend.shared.web import envelope

_log = logs.get("access")
_REQUEST_ID = re.compile(r"^req_[A-Za-z0-9_-]{8,64}$")
_REQUESTS = Counter("luna_http_requests", "Answered requests", ["method", "route", "status"])
_SECONDS = Histogram("luna_http_seconds", "Time to the answer's first byte", ["method", "route"])


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "unknown"))


class AccessLog:
    """Request id, log line, metrics; a crash becomes the envelope with INTERNAL_ERROR."""

    def __init__(
        self, app: ASGIApp, part: str, bug: Callable[[Request, Exception], Awaitable[Response]]
    ) -> None:
        self._app = app
        self._part = part
        self._bug = bug

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        given = _header(scope, b"x-request-id")
        request_id = given if given and _REQUEST_ID.match(given) else ids.request_id()
        logs.fresh_context(part=self._part, request_id=request_id, ip=_header(scope, b"x-real-ip"))
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        await self._answer(scope, receive, send, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        began = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    (b"api-version", b"v1"),
                ]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            if status:
                raise
            response = await self._bug(Request(scope), error)
            await response(scope, receive, send_with_id)
        took = time.perf_counter() - began
        route = _route(scope)
        _REQUESTS.labels(scope["method"], route, status).inc()
        _SECONDS.labels(scope["method"], route).observe(took)
        if route not in {"/health/live", "/health/ready", "/metrics"}:
            _log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round(took * 1000, 1),
            )


class _TooLarge(Exception):
    pass


class BodyLimit:
    """413 for a body over the limit of its path, announced or not."""

    def __init__(self, app: ASGIApp, limits: Sequence[tuple[str, int]] = ()) -> None:
        self._app = app
        self._limits = limits

    def _limit(self, path: str) -> int:
        for prefix, limit in self._limits:
            if path.startswith(prefix):
                return limit
        return config.http().max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit(scope["path"])
        announced = _header(scope, b"content-length") or "0"
        if announced.isdigit() and int(announced) > limit:
            await self._refuse(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise _TooLarge
            return message

        async def unless_too_large(message: Message) -> None:
            # The framework takes what `counted` raised for a body that it can't parse.
            if read > limit and message["type"] == "http.response.start":
                raise _TooLarge
            await send(message)

        try:
            await self._app(scope, counted, unless_too_large)
        except _TooLarge:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = errors.PayloadTooLarge()
        body = envelope.failure(error.code, error.text, error.details)
        response = Response(body, status_code=error.status, media_type="application/json")
        await response(scope, receive, send)
