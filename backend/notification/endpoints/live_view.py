"""Endpoints of the live view: WebSocket and its ticket."""

from fastapi import Request, WebSocket

from backend.notification.endpoints.notifications import REFUSED
from backend.notification.live import tickets
from backend.notification.live.connection_manager import ConnectionManager
from backend.notification.live.connection_user import ConnectionUser
from backend.notification.schemas.notifications import (
    WsTicket,
)
from backend.shared.errors import (
    ServiceUnavailable,
)
from backend.shared.web import routing
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.routing import responses
from backend.shared.web.security import authentication, tokens
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/notifications", "notifications")


@router.post(
    "/ws-ticket",
    summary="A ticket for the WebSocket",
    responses=responses(*REFUSED, ServiceUnavailable),
)
def issue_ticket(request: Request, _: AnyoneDep) -> Answer[WsTicket]:
    """Opens one WebSocket within 30 seconds, in this session. Role: all.

    For browsers, which can't send an Authorization header with a WebSocket: offer the
    subprotocols `luna.v1` and `ticket.<ticket>`.
    """
    holder = ConnectionUser.of(tokens.verify(authentication.bearer(request)))
    ticket = tickets.issue(holder)
    return answer(WsTicket(ticket=ticket, expires_in=int(tickets.LIFE.total_seconds())))


@router.websocket("/ws")
async def live(websocket: WebSocket) -> None:
    """The live view (events.md §5). Role: all; each topic says who may."""
    hub: ConnectionManager = websocket.app.state.hub
    await hub.serve(websocket)
