"""Endpoints of the live view: the WebSocket and its tickets."""

from fastapi import Request, WebSocket

from backend.notification.live import tickets
from backend.notification.live.connection_manager import ConnectionManager
from backend.notification.live.connection_user import ConnectionUser
from backend.notification.schemas.live_view import WsTicket
from backend.shared.web import routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.schemas import EmptyBody
from backend.shared.web.security import authentication, tokens
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/notifications", "live-view")


@router.post("/ws-ticket", summary="Issue a WebSocket ticket")
def issue_ws_ticket(
    request: Request, session: SessionDep, _: AnyoneDep, _body: EmptyBody | None = None
) -> Answer[WsTicket]:
    """Opens one WebSocket within 30 seconds, in the caller's session. Role: all.

    For browsers, which can't send an Authorization header with a WebSocket: offer the
    subprotocols `luna.v1` and `ticket.<ticket>`.
    """
    user = ConnectionUser.of(tokens.verify(authentication.bearer(request)))
    ticket = tickets.issue(session, user)
    return answer(WsTicket(ticket=ticket, expires_in=int(tickets.LIFETIME.total_seconds())))


@router.websocket("/ws")
async def connect_live_view(websocket: WebSocket) -> None:
    """Serve the live view (events.md §5). Role: all; each topic checks the role."""
    manager: ConnectionManager = websocket.app.state.connection_manager
    await manager.serve(websocket)
