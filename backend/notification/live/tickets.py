"""Single-use tickets that let a browser open a WebSocket without a token in its URL.

Redis keeps only the ticket's hash, for 30 seconds; taking it out is one atomic command, so a
ticket opens one socket. It is bound to the session and the token epoch it was made under.
"""

import json
from datetime import timedelta
from uuid import UUID

from backend.notification.live.connection_user import ConnectionUser
from backend.shared.errors import NotSignedIn, ServiceUnavailable
from backend.shared.infra import redis
from backend.shared.models import Role
from backend.shared.web.security import api_keys

LIFE = timedelta(seconds=30)


def _key(ticket: str) -> str:
    return f"ws-ticket:{api_keys.digest(ticket)}"


def issue(holder: ConnectionUser) -> str:
    """A new ticket; ServiceUnavailable when Redis is away."""
    ticket = api_keys.new_secret()
    kept = json.dumps(
        [str(holder.user_id), str(holder.session_id), holder.role.value, holder.epoch]
    )
    if redis.is_up():
        with redis.guarded():
            redis.client().set(_key(ticket), kept, ex=LIFE)
            return ticket
    raise ServiceUnavailable


async def redeem(ticket: str) -> ConnectionUser:
    """Whose ticket it is, once; NotSignedIn after that, or when it is unknown or too old."""
    if not redis.is_up():
        raise ServiceUnavailable
    with redis.guarded():
        kept = await redis.async_client().getdel(_key(ticket))
        if kept is None:
            raise NotSignedIn
        user_id, session_id, role, epoch = json.loads(kept)
        return ConnectionUser(UUID(user_id), UUID(session_id), Role(role), epoch)
    raise ServiceUnavailable
