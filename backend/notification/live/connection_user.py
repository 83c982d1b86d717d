"""The user of a WebSocket."""

from dataclasses import dataclass
from uuid import UUID

from backend.shared.domain.actor import STAFF
from backend.shared.models import Role
from backend.shared.web.security.tokens import Claims


@dataclass(frozen=True, slots=True)
class ConnectionUser:
    """A user in one session, as of the handshake.

    `epoch` is the token's: a role or password change increments the account's and so ends this.
    """

    user_id: UUID
    session_id: UUID
    role: Role
    epoch: int

    @classmethod
    def of(cls, claims: Claims) -> "ConnectionUser":
        return cls(claims.user_id, claims.session_id, claims.role, claims.epoch)

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF
