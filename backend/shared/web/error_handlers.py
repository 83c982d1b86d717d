"""Exception handlers: every exception becomes the error envelope."""

from fastapi import Request, Response
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
from starlette.exceptions import HTTPException as StarletteError

from backend.shared import errors
from backend.shared.errors import LunaError
from backend.shared.infra import logs
from backend.shared.web import envelope

_log = logs.get(__name__)


_BUSY = (DeadlockDetected, LockNotAvailable, QueryCanceled, SerializationFailure)


def _answer(error: LunaError, **headers: str) -> Response:
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:  # noqa: PLR2004 (an HTTP status)
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        envelope.failure(error.code, error.text, error.details),
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
    return await internal_error(_request, error)


def _connection_lost(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return False
    names = {kind.__name__ for kind in type(error.orig).__mro__}
    return (
        error.connection_invalidated
        or ("OperationalError" in names and not getattr(error.orig, "pgcode", None))
        or bool({"AdminShutdown", "CrashShutdown", "CannotConnectNow"} & names)
    )


async def internal_error(_request: Request, error: Exception) -> Response:
    _log.error("unforeseen error", exc_info=error)
    return _answer(LunaError())


HANDLERS = {
    LunaError: _expected,
    StarletteError: _of_the_framework,
    DBAPIError: _of_the_database,
    StaleDataError: _of_the_database,
    PoolTimeout: _of_the_database,
}
