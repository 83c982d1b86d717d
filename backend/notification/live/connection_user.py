"""The user of a WebSocket."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from backend.shared.domain.actor import STAFF
from backend.shared.models import Role
from backend.shared.web.security.tokens import Claims


@dataclass(frozen=True, slots=True)
class ConnectionUser:
    """A user in one session, as of the handshake.

    `epoch` is the token's: a role or password change increments the account's and so ends this.
    At `expires_at` the access token expires, and its socket with it.
    """

    user_id: UUID
    session_id: UUID
    role: Role
    epoch: int
    expires_at: datetime

    @classmethod
    def of(cls, claims: Claims) -> "ConnectionUser":
        return cls(claims.user_id, claims.session_id, claims.role, claims.epoch, claims.expires_at)

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF
