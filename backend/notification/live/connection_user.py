"""Whom a socket belongs to."""

from dataclasses import dataclass
from uuid import UUID

from backend.shared.domain.actor import STAFF
from backend.shared.models import Role
from backend.shared.web.security.tokens import Claims


@dataclass(frozen=True, slots=True)
class ConnectionUser:
    """A person in one session, as they were when the socket was opened.

    `epoch` is that of the token: a role or password change raises the account's and so ends this.
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
