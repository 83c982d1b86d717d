"""Who opens a socket: a token in the header, or a ticket in a subprotocol (events.md §5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, literal, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.websockets import WebSocket

from backend.notification.live import tickets
from backend.notification.live.connection_user import ConnectionUser
from backend.shared.errors import (
    AccountInactive,
    Forbidden,
    LunaError,
    NotSignedIn,
    ServiceUnavailable,
    TokenRevoked,
)
from backend.shared.infra import async_database, clock, config
from backend.shared.models import Role, User, UserSession
from backend.shared.web.security import authentication, tokens

PROTOCOL = "luna.v1"
_TICKET = "ticket."
_TRY_AGAIN_LATER = 1013
_CODES = {401: 4401, 403: 4403}


def close_code(problem: LunaError) -> int:
    """4401 not signed in, 4403 not allowed, 1013 when that can't be told at the moment."""
    return _CODES.get(problem.status, _TRY_AGAIN_LATER)


@dataclass(frozen=True)
class SessionState:
    """A session and its account as they are now."""

    role: Role
    epoch: int
    is_active: bool
    ended: bool


def session_states(session: Session, session_ids: Sequence[UUID]) -> dict[UUID, SessionState]:
    """How these sessions stand, by one query for all of them."""
    rows = session.execute(
        select(
            UserSession.id,
            User.role,
            User.token_epoch,
            User.is_active,
            UserSession.ended_at,
            UserSession.expires_at,
        )
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.id == any_(literal(list(session_ids), ARRAY(Uuid))))
    )
    now = clock.now()
    return {
        row.id: SessionState(
            row.role, row.token_epoch, row.is_active, _has_ended(row.ended_at, row.expires_at, now)
        )
        for row in rows
    }


def _has_ended(ended_at: datetime | None, expires_at: datetime, now: datetime) -> bool:
    return ended_at is not None or expires_at <= now


def refusal(holder: ConnectionUser, standing: SessionState | None) -> LunaError | None:
    """Why a holder may not watch (any more); None when they may."""
    if standing is None or standing.ended:
        return TokenRevoked()
    if not standing.is_active:
        return AccountInactive()
    if (standing.role, standing.epoch) != (holder.role, holder.epoch):
        return TokenRevoked()
    return None


async def admit(websocket: WebSocket) -> ConnectionUser:
    """Who is there; a LunaError when they may not in."""
    _check_origin(websocket)
    holder = await _claimed(websocket)
    try:
        now = await async_database.run(session_states, [holder.session_id])
    except (SQLAlchemyError, OSError) as error:
        raise ServiceUnavailable from error
    problem = refusal(holder, now.get(holder.session_id))
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
