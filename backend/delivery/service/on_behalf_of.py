"""Resolve the member on whose behalf a request or return is created."""

from uuid import UUID

from sqlalchemy.orm import Session

from backend.shared.domain.actor import Actor
from backend.shared.errors import Forbidden, invalid
from backend.shared.models import User


def member_for(session: Session, actor: Actor, user_id: UUID | None) -> UUID:
    """Return `user_id` for staff, the actor's own id otherwise.

    Raises Forbidden for a student who names another user, Invalid for an unknown or inactive one.
    """
    if user_id is None or user_id == actor.id:
        return actor.id
    if not actor.is_staff:
        raise Forbidden("Students can create requests and returns for themselves only.")
    member = session.get(User, user_id)
    if member is None or not member.is_active:
        raise invalid("user_id", "is not an active member")
    return user_id
