"""Cross-origin requests of browsers: the origins of LUNA_ALLOWED_ORIGINS."""

from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.shared.web.envelope import answer

_METHODS = "GET, POST, PUT, DELETE"
_REQUEST_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, X-LUNA-Client, X-LUNA-Device, "
    "X-Request-ID, Connect-Protocol-Version, Connect-Timeout-Ms, X-Grpc-Web, X-User-Agent, "
    "Grpc-Timeout"
)
_RESPONSE_HEADERS = (
    "API-Version, ETag, Location, Retry-After, X-API-Deprecation-Date, X-Request-ID, "
    "Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin"
)
_MAX_AGE = "600"  # seconds for which a browser remembers a preflight


class Cors:
    """Answer preflights with 200, and let the allowed origins read every response.

    A preflight of another origin is 200 too, without the headers that would allow the request.
    """

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else None
        origin = headers.get("origin") if headers is not None else None
        if headers is None or origin is None:
            await self._app(scope, receive, send)
            return
        allowed = origin in self._origins

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = MutableHeaders(scope=message)
                added.add_vary_header("Origin")
                if allowed:
                    added["Access-Control-Allow-Origin"] = origin
                    added["Access-Control-Expose-Headers"] = _RESPONSE_HEADERS
            await send(message)

        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(allowed=allowed)(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)


def _preflight(*, allowed: bool) -> Response:
    response = Response(answer(None).model_dump_json(), media_type="application/json")
    if allowed:
        response.headers["Access-Control-Allow-Methods"] = _METHODS
        response.headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
        response.headers["Access-Control-Max-Age"] = _MAX_AGE
    return response
