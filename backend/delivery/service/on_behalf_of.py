"""For whom something is asked."""

from uuid import UUID

from sqlalchemy.orm import Session

from backend.shared.domain.actor import Actor
from backend.shared.errors import Forbidden, invalid
from backend.shared.models import User


def member_for(session: Session, actor: Actor, user_id: UUID | None) -> UUID:
    """For whom staff ask; students ask for themselves alone."""
    if user_id is None or user_id == actor.id:
        return actor.id
    if not actor.is_staff:
        raise Forbidden("You can ask for yourself only.")
    member = session.get(User, user_id)
    if member is None or not member.is_active:
        raise invalid("user_id", "is no active member")
    return user_id
