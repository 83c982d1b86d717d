"""Native gRPC: serve any Connect service, unchanged, on a grpc.aio server.

Only this module and `server` know grpcio; both uses go when uvicorn's own HTTP/2 is dependable.
"""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import grpc
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.request import Headers, RequestContext
from grpc import aio
from protobuf import DescMethod
from protobuf.wkt.google.protobuf.any_pb import Any as AnyMessage

from backend.shared.infra import config
from backend.shared.proto.gen.google.rpc.status_pb import Status
from backend.shared.web import middleware
from backend.shared.web.rpc import failures
from backend.shared.web.rpc.access import Access, Context
from backend.shared.web.rpc.calls import Calls
from backend.shared.web.rpc.codecs import BINARY

ServicerContext = aio.ServicerContext[Any, Any]
_STATUS = {status.name: status for status in grpc.StatusCode} | {
    "CANCELED": grpc.StatusCode.CANCELLED
}
_KINDS = {
    "unary": grpc.unary_unary_rpc_method_handler,
    "server_streaming": grpc.unary_stream_rpc_method_handler,
    "bidi_streaming": grpc.stream_stream_rpc_method_handler,
}
_METHOD = "GRPC"  # in the access log and the metrics, where HTTP has POST


def create_server() -> aio.Server:
    """Create the server of this process, on the running event loop."""
    size = config.http().max_body_bytes
    return aio.server(
        options=[
            ("grpc.so_reuseport", 0),  # or two servers share a port without an error
            ("grpc.max_receive_message_length", size),
            ("grpc.max_metadata_size", 32 * 1024),
        ]
    )


class Binder:
    """Adds services to a server, with a part's name for their log lines."""

    def __init__(self, server: aio.Server, part: str) -> None:
        self._server = server
        self._part = part

    def add(self, service: Any, access: Access | None = None, calls: Calls | None = None) -> None:
        """Serve one service: its descriptor names the methods and their messages."""
        described = service.desc()
        handlers = {
            method.name: self._handler(service, method, access, calls)
            for method in described.methods
        }
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(described.type_name, handlers),)
        )

    def _handler(
        self, service: Any, method: DescMethod, access: Access | None, calls: Calls | None
    ) -> Any:
        call = getattr(service, re.sub(r"(?<!^)(?=[A-Z])", "_", method.name).lower())
        if method.method_kind != "unary":
            decode, encode = method.input.type.from_binary, method.output.type.to_binary
            return _KINDS[method.method_kind](partial(_stream, method, call), decode, encode)
        if calls is not None:
            call = partial(calls.intercept_unary, call)
        return _KINDS["unary"](partial(self._unary, method, call, access))

    async def _unary(
        self,
        method: DescMethod,
        call: Callable[[Any, Context], Awaitable[Any]],
        access: Access | None,
        data: bytes,
        context: ServicerContext,
    ) -> bytes:
        """Answer one call, log and count it. Who calls is settled before `data` is parsed."""
        began = time.perf_counter()
        ctx = _context_of(method, context)
        headers = ctx.request_headers
        middleware.begin_request(
            headers.get("x-request-id", ""), headers.get("x-real-ip"), self._part
        )
        failed: ConnectError | None = None
        encoded = b""
        try:
            if access is not None:
                await access.on_start(ctx)
            answer = await call(BINARY.decode(data, method.input.type), ctx)
            encoded = answer.to_binary()
        except ConnectError as error:
            failed = error
        path = f"/{method.parent.type_name}/{method.name}"
        middleware.finish_request(_METHOD, path, path, _http_status(failed), began)
        if failed is not None:
            await _abort(context, failed)
        return encoded


async def _stream(
    method: DescMethod,
    call: Callable[[Any, Context], AsyncIterator[Any]],
    request: Any,
    context: ServicerContext,
) -> AsyncIterator[Any]:
    """Answer a stream of reflection or health, which are public and have no rules."""
    async for message in call(request, _context_of(method, context)):
        yield message


def _context_of(method: DescMethod, context: ServicerContext) -> Context:
    """Return the request context that a Connect call would have."""
    left: float | None = context.time_remaining()  # the stubs leave out that it may be absent
    metadata = context.invocation_metadata() or ()
    return RequestContext(
        method=MethodInfo(
            name=method.name,
            service_name=method.parent.type_name,
            input=method.input.type,
            output=method.output.type,
            idempotency_level=_idempotency(method),
            stream_type=StreamType.UNARY,
        ),
        http_method="POST",
        request_headers=Headers(
            [(name, value) for name, value in metadata if isinstance(value, str)]
        ),
        timeout_ms=None if left is None else int(left * 1000),
        client_address=context.peer(),
    )


def _idempotency(method: DescMethod) -> IdempotencyLevel:
    reads = getattr(method.idempotency, "name", "") == IdempotencyLevel.NO_SIDE_EFFECTS.name
    return IdempotencyLevel.NO_SIDE_EFFECTS if reads else IdempotencyLevel.UNKNOWN


async def _abort(context: ServicerContext, error: ConnectError) -> None:
    status = _STATUS[error.code.name]
    details = Status(
        code=status.value[0],
        message=error.message,
        details=[
            AnyMessage(
                type_url=f"type.googleapis.com/{detail.type_name}", value=detail.message_bytes
            )
            for detail in error.details
        ],
    )
    trailers = (("grpc-status-details-bin", details.to_binary()),)
    await context.abort(status, error.message, trailers)


def _http_status(error: ConnectError | None) -> int:
    """Return the HTTP status of a code, by which calls are logged and counted like REST."""
    return HTTPStatus.OK if error is None else failures.HTTP_STATUS[error.code]
