"""Authenticate a WebSocket: token in the header or ticket in a subprotocol (events.md §5)."""

from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket

from backend.notification.live import tickets
from backend.notification.live.connection_user import ConnectionUser
from backend.shared.errors import Forbidden, LunaError, NotSignedIn, ServiceUnavailable
from backend.shared.infra import async_database
from backend.shared.web.security import authentication, origins, session_validity, tokens

PROTOCOL = "luna.v1"
_TICKET_PREFIX = "ticket."
_TRY_AGAIN_LATER = 1013
_CLOSE_CODES = {401: 4401, 403: 4403}


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
    if origin is not None and not origins.is_allowed(websocket, origin):
        raise Forbidden("This site may not open the live view.")
