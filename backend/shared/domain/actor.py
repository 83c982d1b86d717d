"""Who performs an action: an authenticated user or a robot."""

from dataclasses import dataclass
from uuid import UUID

from backend.shared.domain import permissions
from backend.shared.domain.permissions import Action
from backend.shared.models import Role

STAFF = permissions.roles(Action.MANAGE_DELIVERIES)
EVERYONE = permissions.roles(Action.REQUEST)


@dataclass(frozen=True)
class Actor:
    """An authenticated user."""

    id: UUID
    role: Role
    session_id: UUID
    email: str

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF


@dataclass(frozen=True)
class RobotActor:
    """A bridge, authenticated by its robot's key."""

    robot_id: UUID
    robot_name: str
