"""Rules of administrators on accounts: create, change, deactivate. The last admin stays."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.auth.schemas.administration import UserCreate
from backend.auth.service import sessions
from backend.shared import events
from backend.shared.domain import audit
from backend.shared.domain.accounts.creation import add_user
from backend.shared.domain.actor import Actor
from backend.shared.errors import Conflict, Forbidden, NotFound
from backend.shared.infra import database
from backend.shared.messaging import outbox
from backend.shared.models import Role, User
from backend.shared.web import etags
from backend.shared.web.security.passwords import NO_PASSWORD

DEACTIVATED = "DEACTIVATED"
ROLE_CHANGED = "ROLE_CHANGED"


def create(session: Session, new_user: UserCreate, actor: Actor) -> User:
    """Create an account without a password; the mail of its registration has a link to set one."""
    return add_user(session, new_user.model_dump(), NO_PASSWORD, actor_id=actor.id)


def get(session: Session, user_id: UUID) -> User:
    """Return an account that is not erased; NotFound otherwise."""
    user = session.get(User, user_id)
    if user is None or user.erased_at is not None:
        raise NotFound("User not found.")
    return user


def change(
    session: Session, user_id: UUID, changes: dict[str, Any], actor: Actor, if_match: str | None
) -> User:
    """Change an account; Forbidden for the own role, Conflict for the last administrator.

    A changed role and a deactivation end the sessions of the account.
    """
    admins = lock_admins(session)
    user = database.row_lock_or_none(session, User, user_id)
    if user is None or user.erased_at is not None:
        raise NotFound("User not found.")
    etags.check(if_match, user.updated_at)
    changed = {
        name: {"before": getattr(user, name), "after": value}
        for name, value in changes.items()
        if getattr(user, name) != value
    }
    if not changed:
        return user
    _check(user, changed, actor, admins)
    for name in changed:
        setattr(user, name, changes[name])
    session.flush()
    audit.record(
        session,
        actor_id=actor.id,
        action="user.changed",
        resource=("user", user.id),
        changes=changed,
    )
    if "role" in changed:
        user.token_epoch += 1
        outbox.publish(session, events.RoleChanged(user_id=user.id, role=user.role))
        sessions.end_all(session, user.id, ROLE_CHANGED, actor_id=actor.id)
    if "is_active" in changed and not user.is_active:
        deactivated(session, user, actor)
    session.flush()
    return user


def deactivated(session: Session, user: User, actor: Actor) -> None:
    """End the sessions of an account that may no longer sign in."""
    outbox.publish(session, events.AccountDeactivated(user_id=user.id))
    sessions.end_all(session, user.id, DEACTIVATED, actor_id=actor.id)


def lock_admins(session: Session) -> set[UUID]:
    """Lock the active administrators in the order of their ids, so that one always remains."""
    query = select(User.id).where(User.role == Role.ADMIN, User.is_active).order_by(User.id)
    return set(session.execute(query.with_for_update()).scalars())


def _check(user: User, changed: dict[str, Any], actor: Actor, admins: set[UUID]) -> None:
    if user.id == actor.id and "role" in changed:
        raise Forbidden("You cannot change your own role.")
    if {"role", "is_active"} & changed.keys():
        check_not_last_admin(user.id, admins)


def check_not_last_admin(user_id: UUID, admins: set[UUID]) -> None:
    """Raise Conflict when no other administrator would remain."""
    if admins == {user_id}:
        raise Conflict("This is the last administrator. Make somebody else one first.")
