"""Routes whose arguments are found without FastAPI, for the requests that come most often.

To resolve the arguments of each request costs more than the rest of a hot read, and an eighth of a
new request. FastAPI still reads the declaration of such a route, and documents it.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from inspect import iscoroutinefunction
from typing import Any, Generic, Self, TypeVar, cast, get_type_hints

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import solve_dependencies
from fastapi.exceptions import RequestValidationError
from fastapi.params import Body
from pydantic import BaseModel, ValidationError
from starlette.types import Scope

from backend.shared.web.security.authentication import Guard

T = TypeVar("T")
Endpoint = Callable[..., Awaitable[Response]]
_MAX_REMEMBERED = 1000  # queries of a route
_JSON = frozenset({b"application/json", b"application/json; charset=utf-8"})


class FromRequest(ABC, Generic[T]):
    """A dependency that a direct write reads from the request; FastAPI calls it as any other."""

    @abstractmethod
    async def read(self, request: Request) -> T:
        """Return its value."""


class DirectRead:
    """An asynchronous read whose arguments follow from its path, its query and its caller.

    FastAPI resolves the arguments of each query once; they are remembered.
    """

    def __init__(self, dependant: Dependant) -> None:
        self._endpoint = cast("Endpoint", dependant.call)
        self._actors, rest = _without_guards(dependant)
        self._dependant = replace(dependant, dependencies=rest)
        self._arguments: dict[Any, dict[str, Any]] = {}

    @classmethod
    def of(cls, dependant: Dependant) -> Self | None:
        """Return None for an endpoint of another kind."""
        fits = _returns_response(dependant) and _reads_path_and_query_only(dependant)
        return cls(dependant) if fits else None

    def serves(self, scope: Scope) -> bool:
        return bool(scope["method"] == "GET")

    async def answer(self, request: Request, actor: Any) -> Response:
        """Return the response of the endpoint to an admitted caller."""
        key = (request.scope["query_string"], *request.scope["path_params"].values())
        arguments = self._arguments.get(key)
        if arguments is None:
            arguments = await self._resolve(request)
            if len(self._arguments) >= _MAX_REMEMBERED:
                self._arguments.clear()
            self._arguments[key] = arguments
        return await self._endpoint(**arguments, **dict.fromkeys(self._actors, actor))

    async def _resolve(self, request: Request) -> dict[str, Any]:
        async with AsyncExitStack() as stack:
            request.scope["fastapi_inner_astack"] = request.scope["fastapi_function_astack"] = stack
            solved = await solve_dependencies(
                request=request,
                dependant=self._dependant,
                async_exit_stack=stack,
                embed_body_fields=False,
            )
        if solved.errors:
            raise RequestValidationError(solved.errors)
        return solved.values


class DirectWrite:
    """An asynchronous write whose arguments are a JSON body, its caller and `FromRequest`."""

    def __init__(self, dependant: Dependant, model: type[BaseModel]) -> None:
        self._endpoint = cast("Endpoint", dependant.call)
        self._body, self._model = dependant.body_params[0].name, model
        self._actors, rest = _without_guards(dependant)
        self._others = [(str(each.name), cast("FromRequest[Any]", each.call)) for each in rest]

    @classmethod
    def of(cls, dependant: Dependant) -> Self | None:
        """Return None for an endpoint of another kind."""
        _, others = _without_guards(dependant)
        if (
            not _returns_response(dependant)
            or len(dependant.body_params) != 1
            or any(_read_besides_body(dependant))
            or dependant.path_params
            or dependant.query_params
            or not all(isinstance(each.call, FromRequest) for each in others)
        ):
            return None
        field = dependant.body_params[0].field_info
        model: object = field.annotation
        is_embedded = isinstance(field, Body) and field.embed
        if is_embedded or not (isinstance(model, type) and issubclass(model, BaseModel)):
            return None
        return cls(dependant, model)

    def serves(self, scope: Scope) -> bool:
        """Tell whether a request states a JSON body and its length; FastAPI answers others."""
        sent = dict(scope["headers"])
        has_length = sent.get(b"content-length", b"0") != b"0"
        return has_length and sent.get(b"content-type", b"").lower() in _JSON

    async def answer(self, request: Request, actor: Any) -> Response:
        """Return the response of the endpoint to an admitted caller."""
        raw = await request.body()
        try:
            body = self._model.model_validate_json(raw)
        except ValidationError:
            body = _validated(self._model, raw)
        arguments = {name: await other.read(request) for name, other in self._others}
        arguments[self._body] = body
        return await self._endpoint(**arguments, **dict.fromkeys(self._actors, actor))


def _validated(model: type[BaseModel], raw: bytes) -> BaseModel:
    """Return a body as FastAPI reads it, which accepts more texts as JSON; raise its errors."""
    try:
        return model.model_validate(json.loads(raw))
    except ValidationError as error:
        violations = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(violations) from error
    except (ValueError, RecursionError) as error:
        invalid = {"type": "json_invalid", "loc": ("body",), "msg": "JSON decode error"}
        raise RequestValidationError([invalid]) from error


def find(methods: set[str] | None, dependant: Dependant) -> DirectRead | DirectWrite | None:
    """Return how a route is served directly; None if FastAPI must resolve its arguments."""
    if not iscoroutinefunction(dependant.call):
        return None
    return DirectRead.of(dependant) if methods == {"GET"} else DirectWrite.of(dependant)


def _without_guards(dependant: Dependant) -> tuple[list[str], list[Dependant]]:
    """Return the parameters that take the caller, and the dependencies that are not guards."""
    own = dependant.dependencies
    actors = [each.name for each in own if isinstance(each.call, Guard) and each.name]
    return actors, [each for each in own if not isinstance(each.call, Guard)]


def _returns_response(dependant: Dependant) -> bool:
    return get_type_hints(dependant.call).get("return") is Response


def _read_besides_body(dependant: Dependant) -> tuple[object, ...]:
    """Return what an endpoint reads besides path, query and body; dependencies are left aside."""
    return (
        dependant.header_params,
        dependant.cookie_params,
        dependant.request_param_name,
        dependant.response_param_name,
        dependant.http_connection_param_name,
        dependant.websocket_param_name,
        dependant.background_tasks_param_name,
    )


def _reads_path_and_query_only(dependant: Dependant) -> bool:
    """Tell whether the arguments follow from path and query; guards are left aside."""
    _, inner = _without_guards(dependant)
    return (
        not any(_read_besides_body(dependant))
        and not dependant.body_params
        and all(iscoroutinefunction(each.call) for each in inner)
        and all(_reads_path_and_query_only(each) for each in inner)
    )
