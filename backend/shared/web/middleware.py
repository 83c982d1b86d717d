"""Middleware of every service: request id, access log, metrics, body limit, unexpected errors."""

import re
import time

from prometheus_client import Counter, Histogram
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.shared import errors
from backend.shared.infra import ids, logs, request_context
from backend.shared.infra.request_context import RequestContext
from backend.shared.web.error_handlers import error_response, internal_error

_log = logs.get("access")
_REQUEST_ID = re.compile(r"^req_[A-Za-z0-9_-]{8,64}$")
_REQUESTS = Counter("luna_http_requests", "Requests answered", ["method", "route", "status"])
_SECONDS = Histogram("luna_http_seconds", "Time to answer a request", ["method", "route"])


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "unknown"))


class AccessLog:
    """Set the request's context, log and count it; answer an unexpected error with 500."""

    def __init__(self, app: ASGIApp, part: str) -> None:
        self._app = app
        self._part = part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        given = _header(scope, b"x-request-id")
        request_id = given if given and _REQUEST_ID.match(given) else ids.request_id()
        context = RequestContext(request_id, _header(scope, b"x-real-ip"))
        request_context.begin(context, part=self._part)
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
            response = await internal_error(Request(scope), error)
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


class BodyLimit(RequestBodyLimitMiddleware):
    """Starlette's body limit, with its plain-text 413 replaced by the error envelope."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = False

        async def send_envelope(message: Message) -> None:
            nonlocal refused
            if message.get("status") == errors.PayloadTooLarge.status:
                refused = True
                await error_response(errors.PayloadTooLarge())(scope, receive, send)
            elif not refused:
                await send(message)

        await super().__call__(scope, receive, send_envelope)
