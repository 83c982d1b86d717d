"""Who opens a socket: a token in the header, or a ticket in a subprotocol (events.md §5)."""

from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket

from backend.notification.live import tickets
from backend.notification.live.connection_user import ConnectionUser
from backend.shared.errors import (
    Forbidden,
    LunaError,
    NotSignedIn,
    ServiceUnavailable,
)
from backend.shared.infra import async_database, config
from backend.shared.web.security import authentication, session_validity, tokens

PROTOCOL = "luna.v1"
_TICKET = "ticket."
_TRY_AGAIN_LATER = 1013
_CODES = {401: 4401, 403: 4403}


def close_code(problem: LunaError) -> int:
    """4401 not signed in, 4403 not allowed, 1013 when that can't be told at the moment."""
    return _CODES.get(problem.status, _TRY_AGAIN_LATER)


async def admit(websocket: WebSocket) -> ConnectionUser:
    """Who is there; a LunaError when they may not in."""
    _check_origin(websocket)
    holder = await _claimed(websocket)
    try:
        states = await async_database.read(session_validity.read, [holder.session_id])
    except (SQLAlchemyError, OSError) as error:
        raise ServiceUnavailable from error
    state = states.get(holder.session_id)
    problem = session_validity.refusal(state, role=holder.role, epoch=holder.epoch)
    if problem is not None:
        raise problem
    return holder


async def _claimed(websocket: WebSocket) -> ConnectionUser:
    if "authorization" in websocket.headers:
        return ConnectionUser.of(tokens.verify(authentication.bearer(websocket)))
    for offered in websocket.scope["subprotocols"]:
        if offered.startswith(_TICKET):
            return await tickets.redeem(offered.removeprefix(_TICKET))
    raise NotSignedIn


def _check_origin(websocket: WebSocket) -> None:
    """Another site's page may not open a socket here; programs send no Origin."""
    origin = websocket.headers.get("origin")
    if origin is None or origin in config.http().origins:
        return
    asked = urlsplit(origin).netloc
    host = websocket.headers.get("host", "")
    # The gateway passes the host on without its port.
    same = asked == host or (":" not in host and urlsplit(origin).hostname == host)
    if not same and origin != _origin_of(config.http().public_url):
        raise Forbidden("This site may not open the live view.")


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
