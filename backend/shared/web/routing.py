"""Routers of the services: authenticate before the body is parsed; document error responses."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from backend.shared import errors
from backend.shared.errors import LunaError
from backend.shared.web import envelope

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def _guards(dependant: Dependant) -> list[Callable[..., Any]]:
    own = [dependant.call] if getattr(dependant.call, "is_guard", False) else []
    return [
        *(call for call in own if call is not None),
        *(guard for inner in dependant.dependencies for guard in _guards(inner)),
    ]


class LunaRoute(APIRoute):
    """Who is asking comes before what is wrong with the body: 401 and 403 before 400 to 422.

    And before a connection is taken: a call that holds one while its guard waits for a second
    would, forty at a time, use the pool up and wait for itself.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dependencies = [Depends(guard) for guard in dict.fromkeys(_guards(self.dependant))]

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                for guard in _guards(self.dependant):
                    outcome = await run_in_threadpool(guard, request)
                    if isinstance(outcome, Awaitable):
                        await outcome
                raise _what_is_wrong(request, error) from error

        return guarded


def _what_is_wrong(request: Request, error: RequestValidationError) -> LunaError:
    complaints = error.errors()
    kinds = {complaint["type"] for complaint in complaints}
    sent = request.headers.get("content-type", "").split(";")[0].strip().lower()
    is_json = sent == "application/json" or sent.endswith("+json")
    about_body = any(complaint["loc"][:1] == ("body",) for complaint in complaints)
    has_body = request.headers.get("content-length", "0") != "0"
    if about_body and has_body and not is_json and sent != "multipart/form-data":
        return errors.UnsupportedMediaType()
    if "json_invalid" in kinds:
        return errors.MalformedJson()
    fields: dict[str, list[str]] = {}
    for complaint in complaints:
        place = complaint["loc"][1:] or complaint["loc"]
        name = ".".join(str(part) for part in place)
        fields.setdefault(name, []).append(complaint["msg"].removeprefix("Value error, "))
    return errors.Invalid(fields=fields)


def router(prefix: str, tag: str) -> APIRouter:
    """The router of a service's endpoints."""
    return APIRouter(prefix=f"/api/v1{prefix}", tags=[tag], route_class=LunaRoute)


def responses(*kinds: type[LunaError]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI text of the errors a route may answer, besides those that every route may."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        entry = by_status.setdefault(kind.status, {"model": envelope.Failure, "description": ""})
        entry["description"] = "; ".join(
            filter(None, [entry["description"], f"`{kind.code}`: {kind.message}"])
        )
    return by_status
