"""Middleware of every service: request id, access log, metrics, body limit, unexpected errors."""

import math
import re
import time
from http import HTTPStatus
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY, RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.shared import errors
from backend.shared.infra import ids, logs, request_context
from backend.shared.infra.request_context import RequestContext
from backend.shared.infra.telemetry import tracing
from backend.shared.web.error_handlers import error_response, internal_error

_REQUEST_ID = re.compile(r"^req_[A-Za-z0-9_-]{8,64}$")
_REQUESTS = Counter("luna_http_requests", "Requests answered", ["method", "route", "status"])
_SECONDS = Histogram("luna_http_seconds", "Time to answer a request", ["method", "route"])
_UNLOGGED = frozenset({"/health/live", "/health/ready", "/metrics"})
_SMALL_BODY = 4096  # bytes; it need not be counted
# Requests that come once a second from each robot: a line of each would hide the others.
_UNLOGGED_SUCCESSES = frozenset({"/api/v1/robot/bridge/heartbeat"})
_API_VERSION = (b"api-version", b"v1")
# The children of the two metrics: to look one up by its labels costs ten times as much.
_children: dict[tuple[str, str, int], tuple[Any, Any]] = {}


def _count(method: str, route: str, status: int, seconds: float) -> None:
    key = (method, route, status)
    found = _children.get(key)
    if found is None:
        children = _REQUESTS.labels(method, route, status), _SECONDS.labels(method, route)
        found = _children[key] = children
    found[0].inc()
    found[1].observe(seconds)


def begin_request(given_id: str, address: str | None, part: str) -> str:
    """Set the context of a request; return its id, which is the given one if that is valid."""
    request_id = given_id if _REQUEST_ID.match(given_id) else ids.request_id()
    request_context.begin(RequestContext(request_id, address), part=part)
    return request_id


def finish_request(method: str, route: str, path: str, status: int, began: float) -> None:
    """Count and log a request that began at `began` (perf_counter)."""
    took = time.perf_counter() - began
    _count(method, route, status, took)
    is_usual = route in _UNLOGGED_SUCCESSES and status == HTTPStatus.OK
    if not is_usual and route not in _UNLOGGED:
        logs.access(method, path, status, took * 1000)


class AccessLog:
    """Set the request's context, log and count it; answer an unexpected error with 500.

    The outermost middleware. It takes the place of Starlette's ServerErrorMiddleware.
    """

    def __init__(self, app: ASGIApp, part: str) -> None:
        self._app = app
        self._part = part

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        address = headers.get(b"x-real-ip")
        decoded = None if address is None else address.decode("latin-1")
        request_id = begin_request(given, decoded, self._part)
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        if tracing.is_on():
            await self._trace(scope, receive, send, request_id)
            return
        await self._answer(scope, receive, send, request_id)

    async def _trace(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        attributes = {"http.request.method": scope["method"], "url.path": scope["path"]}
        with tracing.span(self._part, "SERVER", attributes) as found:
            await self._answer(scope, receive, send, request_id)
            found["http.route"] = getattr(scope.get("route"), "path", None)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        began = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = ((b"x-request-id", request_id.encode()), _API_VERSION)
                message["headers"] = [*message["headers"], *own]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            if status:
                raise
            response = await internal_error(Request(scope), error)
            await response(scope, receive, send_with_id)
        route = str(getattr(scope.get("route"), "path", "unknown"))
        finish_request(scope["method"], route, scope["path"], status, began)


class BodyLimit(RequestBodyLimitMiddleware):
    """Starlette's body limit where a body may exceed it, with the error envelope as its 413."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[MAX_BODY_SIZE_SCOPE_KEY] = self.max_body_size
        if _body_length(scope) <= min(_SMALL_BODY, self.max_body_size):
            await self.app(scope, receive, send)
            return
        refused = False

        async def send_envelope(message: Message) -> None:
            nonlocal refused
            if message.get("status") == errors.PayloadTooLarge.status:
                refused = True
                await error_response(errors.PayloadTooLarge())(scope, receive, send)
            elif not refused:
                await send(message)

        await super().__call__(scope, receive, send_envelope)


def _body_length(scope: Scope) -> float:
    """Return how many bytes of the body the server will read at most."""
    headers = dict(scope.get("headers", ()))
    length = headers.get(b"content-length", b"0")
    is_stated = b"transfer-encoding" not in headers and length.isdigit()
    return int(length) if is_stated else math.inf
