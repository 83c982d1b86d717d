"""Single-use tickets that let a browser open a WebSocket without a token in its URL.

Redis keeps only the ticket's hash, for 30 seconds; redeeming is one atomic command, so a ticket
opens one socket. It is bound to the session and the token epoch it was issued under.
"""

import json
from datetime import timedelta
from uuid import UUID

from backend.notification.live.connection_user import ConnectionUser
from backend.shared.errors import NotSignedIn, ServiceUnavailable
from backend.shared.infra import redis
from backend.shared.models import Role
from backend.shared.web.security import api_keys

LIFETIME = timedelta(seconds=30)


def _key(ticket: str) -> str:
    return f"ws-ticket:{api_keys.digest(ticket)}"


def issue(user: ConnectionUser) -> str:
    """Issue a ticket; ServiceUnavailable without Redis."""
    ticket = api_keys.new_secret()
    value = json.dumps([str(user.user_id), str(user.session_id), user.role.value, user.epoch])
    if redis.is_up():
        with redis.suppress_errors():
            redis.client().set(_key(ticket), value, ex=LIFETIME)
            return ticket
    raise ServiceUnavailable


async def redeem(ticket: str) -> ConnectionUser:
    """Return the user of a ticket and delete it; NotSignedIn when unknown, used or expired."""
    if not redis.is_up():
        raise ServiceUnavailable
    with redis.suppress_errors():
        value = await redis.async_client().getdel(_key(ticket))
        if value is None:
            raise NotSignedIn
        user_id, session_id, role, epoch = json.loads(value)
        return ConnectionUser(UUID(user_id), UUID(session_id), Role(role), epoch)
    raise ServiceUnavailable
