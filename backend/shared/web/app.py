"""The application factory: envelope, errors, request ids, access log, metrics, health."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp

from backend.shared.infra import cache_connection, config, hot_reads, hot_transactions, logs
from backend.shared.infra.config import safety
from backend.shared.infra.telemetry import tracing
from backend.shared.messaging import process_heartbeats
from backend.shared.web import health
from backend.shared.web.cors import Cors
from backend.shared.web.error_handlers import HANDLERS
from backend.shared.web.middleware import AccessLog, BodyLimit
from backend.shared.web.routing import RouteIndex

if TYPE_CHECKING:  # only services with RPCs load its packages
    from backend.shared.web.rpc.server import RpcServer

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class Application(FastAPI):
    """FastAPI without the middlewares that AccessLog and BodyLimit replace.

    They are ServerErrorMiddleware, ExceptionTelemetryMiddleware and AppBodyLimitMiddleware; each
    wraps `receive` or `send` of every request.
    """

    def build_middleware_stack(self) -> ASGIApp:
        """Return the application: own middleware, exception handlers, routes."""
        app: ASGIApp = ExceptionMiddleware(
            RouteIndex(self.router, self.routes), handlers=self.exception_handlers
        )
        for middleware, args, options in reversed(self.user_middleware):
            app = middleware(app, *args, **options)
        return app


async def _close_connections() -> None:
    await hot_reads.close()
    await hot_transactions.close()
    cache_connection.close()


def create_app(
    part: str,
    *routers: APIRouter,
    summary: str,
    lifespan: Lifespan | None = None,
    rpc: "RpcServer | None" = None,
) -> FastAPI:
    """Create the app of one service."""
    safety.refuse_unsafe()
    logs.configure(part)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        own = nullcontext() if lifespan is None else lifespan(app)
        calls = nullcontext() if rpc is None else rpc.lifespan()
        tracing.configure(part)
        async with process_heartbeats.run(part), own, calls:
            yield
        tracing.shutdown()
        await _close_connections()

    app = Application(
        title=f"LUNA {part}",
        version="1",
        summary=summary,
        lifespan=life,
        redirect_slashes=False,
        openapi_url="/openapi.json",  # not reachable through the gateway
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    # FastAPI matches an included router in several steps for each request: a sixth of its time.
    for each in (*routers, health.router(part)):
        app.router.routes.extend(each.routes)
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)
    _add_middleware(app, part, rpc)
    return app


def _add_middleware(app: FastAPI, part: str, rpc: "RpcServer | None") -> None:
    """Add the middleware from the innermost to the outermost."""
    settings = config.http()
    app.add_middleware(BodyLimit, max_body_size=settings.max_body_bytes)
    if rpc is not None:
        app.add_middleware(rpc.wrap)
    if settings.origins:
        app.add_middleware(Cors, origins=settings.origins)
    app.add_middleware(AccessLog, part=part)
