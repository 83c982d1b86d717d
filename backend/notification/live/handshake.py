"""Authenticate a WebSocket: token in the header or ticket in a subprotocol (events.md §5)."""

from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket

from backend.notification.live import tickets
from backend.notification.live.connection_user import ConnectionUser
from backend.shared.errors import Forbidden, LunaError, NotSignedIn, ServiceUnavailable
from backend.shared.infra import async_database, config
from backend.shared.web.security import authentication, session_validity, tokens

PROTOCOL = "luna.v1"
_TICKET_PREFIX = "ticket."
_TRY_AGAIN_LATER = 1013
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HTTP_SCHEMES = {"ws": "http", "wss": "https"}
_CLOSE_CODES = {401: 4401, 403: 4403}


Origin = tuple[str, str, int]


def close_code(failure: LunaError) -> int:
    """Return 4401 for unauthenticated, 4403 for forbidden, 1013 when it can't be checked now."""
    return _CLOSE_CODES.get(failure.status, _TRY_AGAIN_LATER)


async def authenticate(websocket: WebSocket) -> ConnectionUser:
    """Return the user of a WebSocket; LunaError when it is refused."""
    _check_origin(websocket)
    user = await _identify(websocket)
    try:
        states = await session_validity.read([user.session_id])
    except (SQLAlchemyError, OSError) as error:
        raise ServiceUnavailable from error
    state = states.get(user.session_id)
    failure = session_validity.refusal(state, role=user.role, epoch=user.epoch)
    if failure is not None:
        raise failure
    return user


async def _identify(websocket: WebSocket) -> ConnectionUser:
    if "authorization" in websocket.headers:
        return ConnectionUser.of(tokens.verify(authentication.bearer(websocket)))
    for offered in websocket.scope["subprotocols"]:
        if offered.startswith(_TICKET_PREFIX):
            return await _redeem(offered.removeprefix(_TICKET_PREFIX))
    raise NotSignedIn


async def _redeem(ticket: str) -> ConnectionUser:
    try:
        return await async_database.run(tickets.redeem, ticket)
    except (SQLAlchemyError, OSError) as error:
        raise ServiceUnavailable from error


def _check_origin(websocket: WebSocket) -> None:
    """Refuse pages of other sites: scheme, host and port must match. Programs send no Origin."""
    origin = websocket.headers.get("origin")
    if origin is None:
        return
    settings = config.http()
    allowed = {_origin_of(url) for url in (settings.public_url, *settings.origins)}
    if _origin_of(origin) not in {*allowed, _requested_origin(websocket)} - {None}:
        raise Forbidden("This site may not open the live view.")


def _requested_origin(websocket: WebSocket) -> Origin | None:
    """Return the origin that the client has addressed; the gateway forwards it."""
    headers = websocket.headers
    scheme = headers.get("x-forwarded-proto") or _HTTP_SCHEMES[websocket.url.scheme]
    host = headers.get("x-forwarded-host") or headers.get("host", "")
    return _origin_of(f"{scheme}://{host}")


def _origin_of(url: str) -> Origin | None:
    """Return scheme, host and port of a URL; None when it is not of the web."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None
