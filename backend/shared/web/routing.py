"""Routers of the services: authenticate before validation; document error responses."""

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.shared import errors
from backend.shared.errors import LunaError
from backend.shared.web import direct_routes, envelope
from backend.shared.web.database_session import in_one_thread
from backend.shared.web.schemas import EmptyBody
from backend.shared.web.security.authentication import Guard

_MAX_REMEMBERED = 1000  # paths
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def _guards(dependant: Dependant) -> list[Guard[Any]]:
    """Return the guards of a route in the order of its parameters."""
    own = [dependant.call] if isinstance(dependant.call, Guard) else []
    return [*own, *(guard for inner in dependant.dependencies for guard in _guards(inner))]


def _without_credentials(dependant: Dependant) -> Dependant:
    """Return what a route resolves at run time: the guards read the credentials themselves."""
    inner = [] if isinstance(dependant.call, Guard) else dependant.dependencies
    return replace(dependant, dependencies=[_without_credentials(each) for each in inner])


class LunaRoute(APIRoute):
    """Run guards first: 413, then 401 and 403, then the other errors of a request.

    They run on the event loop, before the body is parsed and a thread or a connection is used.
    """

    stores_idempotency_keys: bool
    """Whether a repeat under the same Idempotency-Key gets the stored response."""

    def get_route_handler(self) -> Handler:
        self._guards = list(dict.fromkeys(_guards(self.dependant)))
        takes_body = self.body_field is not None or "requestBody" in (self.openapi_extra or {})
        may_have_body = takes_body or self.methods == {"GET"}
        documented = self.dependant
        self.stores_idempotency_keys = _reads_header(documented, "Idempotency-Key")
        self.dependant = in_one_thread(_without_credentials(documented))
        handle = super().get_route_handler()
        self.dependant = documented
        self._direct = direct_routes.find(self.methods, documented)

        async def authorize_then_handle(request: Request) -> Response:
            await self._authorize(request)
            try:
                if not may_have_body:
                    await _check_empty_body(request)
                return await handle(request)
            except RequestValidationError as error:
                raise _validation_error(request, error) from error

        return authorize_then_handle

    async def _authorize(self, request: Request) -> Any:
        """Return the caller whom the last guard admits."""
        _check_content_length(request)
        actor: Any = None
        for guard in self._guards:
            actor = request.state.actor = await guard.authorize(request)
        return actor

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a direct request; leave the others to FastAPI."""
        if self._direct is None or not self._direct.serves(scope):
            await AsyncExitStackMiddleware(super().handle)(scope, receive, send)
            return
        request = Request(scope, receive, send)
        actor = await self._authorize(request)
        try:
            response = await self._direct.answer(request, actor)
        except RequestValidationError as error:
            raise _validation_error(request, error) from error
        await response(scope, receive, send)


class RouteIndex:
    """Finds a route by method and path; the router would try them one after the other.

    The router answers what is not found here: 404, 405 and WebSockets.
    """

    def __init__(self, router: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._router = AsyncExitStackMiddleware(router)
        self._fixed: dict[tuple[str, str], tuple[ASGIApp, dict[str, Any]]] = {}
        self._by_length: dict[tuple[str, int], list[LunaRoute]] = {}
        self._matched: dict[tuple[str, str], tuple[ASGIApp, Scope]] = {}  # paths with parameters
        for route in routes:
            if isinstance(route, LunaRoute):
                self._add(route)

    def _add(self, route: LunaRoute) -> None:
        for method in route.methods or ():
            if "{" in route.path:
                length = method, route.path.count("/")
                self._by_length.setdefault(length, []).append(route)
            else:
                found = {"endpoint": route.endpoint, "path_params": {}, "route": route}
                self._fixed.setdefault((method, route.path), (route.handle, found))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            key = scope["method"], scope["path"]
            known = self._fixed.get(key) or self._matched.get(key) or self._match(key, scope)
            if known is not None:
                app, found = known
                scope.update(found)
                await app(scope, receive, send)
                return
        await self._router(scope, receive, send)

    def _match(self, key: tuple[str, str], scope: Scope) -> tuple[ASGIApp, Scope] | None:
        method, path = key
        for route in self._by_length.get((method, path.count("/")), ()):
            match, found = route.matches(scope)
            if match is Match.FULL:
                if len(self._matched) >= _MAX_REMEMBERED:
                    self._matched.clear()
                self._matched[key] = route.handle, found
                return self._matched[key]
        return None


def _reads_header(dependant: Dependant, name: str) -> bool:
    own = any(parameter.alias == name for parameter in dependant.header_params)
    return own or any(_reads_header(inner, name) for inner in dependant.dependencies)


def _check_content_length(request: Request) -> None:
    """Refuse a body over the limit before the route runs: the limiter itself acts on reading."""
    length = request.headers.get("content-length")
    if (
        length is not None
        and length.isdecimal()
        and int(length) > request.scope[MAX_BODY_SIZE_SCOPE_KEY]
    ):
        raise errors.PayloadTooLarge


async def _check_empty_body(request: Request) -> None:
    """Refuse fields in the body of a route that has none; no body or `{}` is valid."""
    sent = request.headers
    if sent.get("content-length", "0") == "0" and "transfer-encoding" not in sent:
        return
    try:
        EmptyBody.model_validate_json(await request.body() or b"{}")
    except ValidationError as error:
        violations = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(violations) from error


def _validation_error(request: Request, error: RequestValidationError) -> LunaError:
    violations = error.errors()
    kinds = {violation["type"] for violation in violations}
    sent = request.headers.get("content-type", "").split(";")[0].strip().lower()
    is_json = sent == "application/json" or sent.endswith("+json")
    about_body = any(violation["loc"][:1] == ("body",) for violation in violations)
    has_body = request.headers.get("content-length", "0") != "0"
    if about_body and has_body and not is_json and sent != "multipart/form-data":
        return errors.UnsupportedMediaType()
    if "json_invalid" in kinds:
        return errors.MalformedJson()
    fields: dict[str, list[str]] = {}
    for violation in violations:
        location = violation["loc"][1:] or violation["loc"]
        name = ".".join(str(part) for part in location)
        fields.setdefault(name, []).append(violation["msg"].removeprefix("Value error, "))
    return errors.Invalid(fields=fields)


def router(prefix: str, tag: str, *, base: str = "/api/v1") -> APIRouter:
    """Create a router for endpoints under `base` and a prefix.

    It has all that `create_app` needs to serve its routes without `include_router`.
    """
    return APIRouter(
        prefix=base + prefix,
        tags=[tag],
        route_class=LunaRoute,
        generate_unique_id_function=_operation_id,
        responses={422: {"model": envelope.Failure, "description": "`VALIDATION_ERROR`"}},
    )


def _operation_id(route: APIRoute) -> str:
    return route.name


def responses(*kinds: type[LunaError]) -> dict[int | str, dict[str, Any]]:
    """Document the errors of a route in OpenAPI, besides those that every route may answer."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        entry = by_status.setdefault(kind.status, {"model": envelope.Failure, "description": ""})
        entry["description"] = "; ".join(
            filter(None, [entry["description"], f"`{kind.code}`: {kind.message}"])
        )
    return by_status
