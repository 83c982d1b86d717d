"""Serve the RPCs of one service: Connect and gRPC-Web beside its routes, native gRPC beside it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from connectrpc.server import ConnectASGIApplication
from connectrpc_grpcreflect import ServerReflectionAlphaService, ServerReflectionService
from grpc import aio
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.shared.infra import config
from backend.shared.proto.gen.grpc.health.v1 import health_pb
from backend.shared.proto.gen.luna.v1 import library_pb, user_pb
from backend.shared.web import shutdown
from backend.shared.web.rpc import native
from backend.shared.web.rpc.access import Access, Roles
from backend.shared.web.rpc.calls import Calls
from backend.shared.web.rpc.codecs import CODECS
from backend.shared.web.rpc.health import Health

_GRACE = 8.0  # seconds for calls in flight, as uvicorn gives to requests
# Every process describes the whole contract: the gateway sends reflection to any of them.
_FILES = (library_pb.desc(), user_pb.desc(), health_pb.desc())


@dataclass(frozen=True)
class RpcServer:
    """One service of the contract: its class, its Connect application, who may call a method."""

    part: str
    service: Any
    application: type[ConnectASGIApplication[Any]]
    roles: Roles
    calls: Calls = field(default_factory=Calls)  # of all protocols together

    def __post_init__(self) -> None:
        methods = {method.name for method in self.service.desc().methods}
        if methods != set(self.roles):
            raise ValueError("each method needs its roles, and no other has any")

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """Return `app` with the Connect and gRPC-Web paths of the service before its own."""
        answer = self.application(  # type: ignore[call-arg]  # of the generated subclass
            self.service,
            interceptors=[Access(self.roles), self.calls],
            read_max_bytes=config.http().max_body_bytes,
            codecs=CODECS,
        )
        prefix = f"/{self.service.desc().type_name}/"
        paths = {f"{prefix}{method}" for method in self.roles}

        async def routed(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope.get("path", "")
            if scope["type"] != "http" or not path.startswith(prefix):
                await app(scope, receive, send)
                return
            if path in paths:
                scope["route"] = SimpleNamespace(path=path)  # for the access log and the metrics
            await answer(scope, receive, send)

        return routed

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Serve native gRPC while the application runs.

        At SIGTERM no further call is accepted, and those in flight end.
        """
        listen = config.rpc().grpc_listen
        if listen is None:
            yield
            return
        server = native.create_server()
        health = Health([self.service.desc().type_name])
        binder = native.Binder(server, self.part)
        binder.add(self.service, Access(self.roles), self.calls)
        for public in (
            health,
            ServerReflectionService(*_FILES),
            ServerReflectionAlphaService(*_FILES),
        ):
            binder.add(public)
        await _start(server, listen)
        stopping: list[asyncio.Task[None]] = []

        def stop() -> None:
            health.stopping = True
            stopping.append(asyncio.ensure_future(server.stop(_GRACE)))

        shutdown.on_shutdown(stop)
        yield
        await asyncio.gather(*stopping) if stopping else await server.stop(_GRACE)


async def _start(server: aio.Server, listen: str) -> None:
    """Listen; a Unix socket is taken over from a process that still serves its calls.

    It is bound to a name of this process and renamed: grpcio deletes the name it bound when it
    ends, which must not be that of a successor.
    """
    if not listen.startswith("unix:"):
        server.add_insecure_port(listen)
        await server.start()
        return
    path = listen.removeprefix("unix:")
    own = f"{path}.{os.getpid()}"
    server.add_insecure_port(f"unix:{own}")
    await server.start()
    Path(own).rename(path)  # noqa: ASYNC240 (no disk is involved)
