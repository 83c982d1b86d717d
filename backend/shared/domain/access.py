"""Access to what belongs to a member: the one rule for rows, lists and creating for others."""

from enum import Enum
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from backend.shared.domain import permissions
from backend.shared.domain.actor import Actor
from backend.shared.domain.permissions import Action, Scope
from backend.shared.errors import Forbidden, Invalid, NotFound, invalid
from backend.shared.models import User, table

_USER = table(User).c
_IS_ACTIVE = select(_USER.is_active).where(_USER.id == bindparam("user_id"))


class Access(Enum):
    """Who may use a row besides its owner."""

    OWN = Action.VIEW_NOTIFICATIONS
    CHANGE = Action.CANCEL_REQUEST
    VIEW = Action.VIEW_CIRCULATION


def require(actor: Actor, owner_id: UUID | None, access: Access, name: str) -> None:
    """Raise NotFound for another member's row, Forbidden for staff who may only see it.

    `owner_id` is None when the row does not exist or has no owner any more.
    """
    if owner_id == actor.id or _reaches_all(actor, access):
        return
    if access is Access.CHANGE and _reaches_all(actor, Access.VIEW):
        raise Forbidden(f"Only the member may change this {name.lower()}.")
    raise NotFound(f"{name} not found.")


def _reaches_all(actor: Actor, access: Access) -> bool:
    return permissions.scope(actor.role, access.value) is Scope.ALL


def may(actor: Actor, owner_id: UUID, access: Access) -> bool:
    """Return whether a member of staff may act on what another one has claimed."""
    return actor.id == owner_id or (access is Access.CHANGE and _reaches_all(actor, access))


def owner_filter(actor: Actor, user_id: UUID | None) -> UUID | None:
    """Return whose rows a list holds: the member's own; for staff of `user_id`, or all (None)."""
    return user_id if _reaches_all(actor, Access.VIEW) else actor.id


def member_for(session: Session, actor: Actor, user_id: UUID | None) -> UUID:
    """Return the member for whom something is created: `user_id` for staff, else the actor.

    Raises Forbidden for a student who names another user, Invalid for an unknown or inactive one.
    """
    member = member_named(actor, user_id)
    is_own = member == actor.id
    if not is_own and not session.execute(_IS_ACTIVE, {"user_id": member}).scalar_one_or_none():
        raise inactive_member()
    return member


def member_named(actor: Actor, user_id: UUID | None) -> UUID:
    """Do as `member_for`, but leave open whether the member is active."""
    if user_id is None or user_id == actor.id:
        return actor.id
    if not actor.is_staff:
        raise Forbidden("Students can create requests and returns for themselves only.")
    return user_id


def inactive_member() -> Invalid:
    """Build the error for a `user_id` of nobody who may borrow."""
    return invalid("user_id", "is not an active member")


def require_staff(actor: Actor, what: str) -> None:
    """Raise Forbidden unless the actor is staff."""
    if not actor.is_staff:
        raise Forbidden(f"Only staff may {what}.")
