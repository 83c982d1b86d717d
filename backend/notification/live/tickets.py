"""Single-use tickets that let a browser open a WebSocket without a token in its URL.

PostgreSQL keeps the ticket's hash for 30 seconds, with the session and the token epoch it was
issued under. Redeeming deletes the row, so a ticket opens one socket.
"""

from datetime import timedelta

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from backend.notification.live.connection_user import ConnectionUser
from backend.shared.errors import NotSignedIn
from backend.shared.infra import clock
from backend.shared.models import WsTicket
from backend.shared.web.security import api_keys

LIFETIME = timedelta(seconds=30)


def issue(session: Session, user: ConnectionUser) -> str:
    """Issue a ticket for the session of `user`."""
    ticket = api_keys.new_secret()
    session.execute(
        insert(WsTicket).values(
            ticket_hash=api_keys.digest(ticket),
            user_id=user.user_id,
            session_id=user.session_id,
            role=user.role,
            epoch=user.epoch,
            token_expires_at=user.expires_at,
            expires_at=clock.now() + LIFETIME,
        )
    )
    return ticket


def redeem(session: Session, ticket: str) -> ConnectionUser:
    """Delete a ticket and return its user; NotSignedIn when it is unknown, used or expired."""
    row = session.execute(
        delete(WsTicket)
        .where(WsTicket.ticket_hash == api_keys.digest(ticket), WsTicket.expires_at > clock.now())
        .returning(
            WsTicket.user_id,
            WsTicket.session_id,
            WsTicket.role,
            WsTicket.epoch,
            WsTicket.token_expires_at,
        )
    ).one_or_none()
    if row is None:
        raise NotSignedIn
    return ConnectionUser(*row)
