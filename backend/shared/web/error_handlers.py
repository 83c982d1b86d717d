"""Exception handlers: every exception becomes the error envelope."""

from fastapi import Request, Response
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException as StarletteError

from backend.shared import errors
from backend.shared.errors import LunaError
from backend.shared.infra import logs
from backend.shared.web import envelope

_log = logs.get(__name__)

# PostgreSQL's error codes, which both drivers report alike.
_BY_SQLSTATE: dict[str, type[LunaError]] = {
    "22003": errors.Invalid,  # numeric value out of range
    "22008": errors.Invalid,  # datetime field overflow
    "22009": errors.Invalid,  # invalid time zone displacement
    "22021": errors.Invalid,  # character not in repertoire
    "22P02": errors.Invalid,  # invalid text representation
    "22P05": errors.Invalid,  # untranslatable character: NUL in JSON
    "23505": errors.Duplicate,  # unique violation
    "40001": errors.ServiceUnavailable,  # serialization failure
    "40P01": errors.ServiceUnavailable,  # deadlock detected
    "55P03": errors.ServiceUnavailable,  # lock not available
    "57014": errors.ServiceUnavailable,  # query canceled
    "57P01": errors.ServiceUnavailable,  # admin shutdown
    "57P02": errors.ServiceUnavailable,  # crash shutdown
    "57P03": errors.ServiceUnavailable,  # cannot connect now
}
_BY_STATUS: dict[int, type[LunaError]] = {
    400: errors.MalformedJson,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.PayloadTooLarge,
    415: errors.UnsupportedMediaType,
}


def error_response(error: LunaError, **headers: str) -> Response:
    """Answer an error with its status, its envelope and the headers that belong to it."""
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == errors.NotSignedIn.status:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        envelope.failure(error.code, error.text, error.details),
        status_code=error.status,
        headers=headers,
        media_type="application/json",
    )


def as_luna_error(error: Exception) -> LunaError | None:
    """Return the error that a client gets for an exception; None for an unexpected one."""
    if isinstance(error, LunaError):
        return error
    if isinstance(error, StaleDataError):
        return errors.Conflict("This was changed by another request. Read it again, then retry.")
    if isinstance(error, PoolTimeout):
        return _unavailable(error)
    return _by_sqlstate(error) if isinstance(error, DBAPIError) else None


def _by_sqlstate(error: DBAPIError) -> LunaError | None:
    """Return the error of a SQLSTATE; a lost connection is 503, every other one is unexpected."""
    state = sqlstate(error)
    kind = _BY_SQLSTATE.get(state or "")
    lost = error.connection_invalidated or (isinstance(error, OperationalError) and state is None)
    if lost or kind is errors.ServiceUnavailable:
        return _unavailable(error)
    if kind is None:
        return None
    return errors.Invalid(fields={}) if kind is errors.Invalid else kind()


async def _known_error(request: Request, error: Exception) -> Response:
    known = as_luna_error(error)
    return await internal_error(request, error) if known is None else error_response(known)


async def _framework_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteError)
    kind = _BY_STATUS.get(error.status_code)
    if kind is None:
        _log.error("unexpected status from the framework", status=error.status_code)
        kind = LunaError
    return error_response(kind(), **(dict(error.headers or {})))


def sqlstate(error: DBAPIError) -> str | None:
    """Return PostgreSQL's error code, from psycopg 3 or psycopg2; None before a connection."""
    state: str | None = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    return state


def _unavailable(error: Exception) -> LunaError:
    _log.warning("database unavailable", error=str(error).splitlines()[0])
    return errors.ServiceUnavailable()


async def internal_error(_request: Request, error: Exception) -> Response:
    """Log an unexpected error and answer 500 without its text."""
    _log.error("unexpected error", exc_info=error)
    return error_response(LunaError())


HANDLERS = {
    LunaError: _known_error,
    StarletteError: _framework_error,
    DBAPIError: _known_error,
    StaleDataError: _known_error,
    PoolTimeout: _known_error,
}
