"""All five services in one process behind one address, routed as Nginx routes them.

The real gateway is tested in tests/gateway and tests/e2e.
"""

import importlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from tests import service_roles

ROUTES = {
    "/api/v1/auth": "auth",
    "/api/v1/books": "book",
    "/api/v1/copies": "book",
    "/api/v1/loans": "book",
    "/api/v1/holds": "book",
    "/api/v1/requests": "delivery",
    "/api/v1/returns": "delivery",
    "/api/v1/deliveries": "delivery",
    "/api/v1/robot": "robot",
    "/api/v1/notifications": "notification",
    "/luna.v1.LibraryService": "book",
    "/luna.v1.UserService": "auth",
}
clients: list[Any] = []  # the client of this process, once a test has asked for it


def run_in_robot_service(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run something to its end on the event loop of the services, if this process runs them."""
    for client in clients:
        with service_roles.running_as("robot"):
            client.portal.call(work)


class _Gateway:
    def __init__(self, services: dict[str, Any]) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = self._service(scope["path"])
        with service_roles.running_as(name):
            await self._services[name](scope, receive, send)

    def _service(self, path: str) -> str:
        for prefix, name in ROUTES.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                return name
        return "auth"


def make_gateway() -> Starlette:
    services = {
        name: importlib.import_module(f"backend.{name}.main").app
        for name in sorted(set(ROUTES.values()))
    }

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for name, service in services.items():
                with service_roles.running_as(name):  # its tasks keep the role
                    await stack.enter_async_context(service.router.lifespan_context(service))
            yield

    outer = Starlette(lifespan=lifespan)
    outer.router.default = _Gateway(services)  # a mount would not match a path with a line break
    return outer
