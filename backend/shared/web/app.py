"""The app every service is: envelope, errors, request ids, access log, metrics, health."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from psycopg2.errors import (
    CharacterNotInRepertoire,
    DeadlockDetected,
    LockNotAvailable,
    NumericValueOutOfRange,
    QueryCanceled,
    SerializationFailure,
    UniqueViolation,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as StarletteError

from backend.shared import errors
from backend.shared.errors import LunaError
from backend.shared.infra import config, logs
from backend.shared.web import health, schemas
from backend.shared.web.middleware import AccessLog, BodyLimit

_log = logs.get(__name__)
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_BUSY = (DeadlockDetected, LockNotAvailable, QueryCanceled, SerializationFailure)


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
        entry = by_status.setdefault(kind.status, {"model": schemas.Failure, "description": ""})
        entry["description"] = "; ".join(
            filter(None, [entry["description"], f"`{kind.code}`: {kind.message}"])
        )
    return by_status


def _answer(error: LunaError, **headers: str) -> Response:
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:  # noqa: PLR2004 (an HTTP status)
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        schemas.failure(error.code, error.text, error.details),
        status_code=error.status,
        headers=headers,
        media_type="application/json",
    )


async def _expected(_request: Request, error: Exception) -> Response:
    assert isinstance(error, LunaError)
    return _answer(error)


async def _of_the_framework(_request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteError)
    by_status: dict[int, type[LunaError]] = {
        400: errors.MalformedJson,
        404: errors.NotFound,
        405: errors.MethodNotAllowed,
        413: errors.PayloadTooLarge,
        415: errors.UnsupportedMediaType,
    }
    kind = by_status.get(error.status_code)
    if kind is None:
        _log.error("the framework raised an unforeseen status", status=error.status_code)
        kind = LunaError
    return _answer(kind(), **(dict(error.headers or {})))


async def _of_the_database(_request: Request, error: Exception) -> Response:
    """Absent or busy is 503, a lost race 409, a value it can't hold 422; the rest are bugs."""
    if isinstance(error, StaleDataError):
        return _answer(errors.Conflict("Someone else changed this at the same moment. Try again."))
    cause = getattr(error, "orig", None)
    if isinstance(cause, UniqueViolation):
        return _answer(errors.Duplicate())
    if isinstance(cause, (CharacterNotInRepertoire, NumericValueOutOfRange)):
        return _answer(errors.Invalid(fields={}))
    absent = isinstance(error, PoolTimeout) or isinstance(cause, _BUSY)
    if absent or _connection_lost(error):
        _log.warning("the database does not answer in time", error=str(error).splitlines()[0])
        return _answer(errors.ServiceUnavailable())
    return await _bug(_request, error)


def _connection_lost(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    names = {kind.__name__ for kind in type(error.orig).__mro__}
    return (
        error.connection_invalidated
        or ("OperationalError" in names and not getattr(error.orig, "pgcode", None))
        or bool({"AdminShutdown", "CrashShutdown", "CannotConnectNow"} & names)
    )


async def _bug(_request: Request, error: Exception) -> Response:
    _log.error("unforeseen error", exc_info=error)
    return _answer(LunaError())


_HANDLERS = {
    LunaError: _expected,
    StarletteError: _of_the_framework,
    DBAPIError: _of_the_database,
    StaleDataError: _of_the_database,
    PoolTimeout: _of_the_database,
}


def create_app(
    part: str,
    *routers: APIRouter,
    summary: str,
    lifespan: Lifespan | None = None,
    body_limits: Sequence[tuple[str, int]] = (),
) -> FastAPI:
    """The app of one service; `body_limits` are (path prefix, bytes) unlike the setting."""
    config.refuse_unsafe()
    logs.set_up(part)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        async with health.heartbeat(part):
            if lifespan is None:
                yield
            else:
                async with lifespan(app):
                    yield

    app = FastAPI(
        title=f"LUNA {part}",
        version="1",
        summary=summary,
        lifespan=life,
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        responses={422: {"model": schemas.Failure, "description": "`VALIDATION_ERROR`"}},
    )
    for each in routers:
        app.include_router(each)
    app.include_router(health.router(part))
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.add_middleware(BodyLimit, limits=body_limits)
    app.add_middleware(AccessLog, part=part, bug=_bug)
    return app
