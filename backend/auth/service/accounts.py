"""Rules of accounts: create, register, change the profile."""

from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.auth.schemas import password_policy
from backend.auth.schemas.accounts import NewUser
from backend.auth.service import credentials, sessions
from backend.auth.service.devices import Device
from backend.auth.service.sessions import TokenPair
from backend.shared import events
from backend.shared.domain import audit
from backend.shared.errors import EmailTaken, TokenRevoked, invalid
from backend.shared.infra import clock, database
from backend.shared.messaging import outbox
from backend.shared.models import User
from backend.shared.web import etags


def create_user(
    session: Session, new_user: NewUser, password: str, *, actor_id: UUID | None = None
) -> User:
    """Create an account in any role (the first administrator, demo accounts).

    Its address counts as verified: whoever runs LUNA has given it.

    EmailTaken when the address has an account; Invalid when the password breaks the policy.
    Computes a hash.
    """
    violations = password_policy.violations(password, new_user.email)
    if violations:
        raise invalid("password", "; ".join(violations))
    password_hash = credentials.hash_password(password)
    return add_user(session, new_user, password_hash, actor_id=actor_id, verified=True)


def add_user(
    session: Session,
    new_user: NewUser,
    password_hash: str,
    *,
    actor_id: UUID | None,
    verified: bool = False,
) -> User:
    """Insert the account, audit and publish it; the unique index decides concurrent inserts.

    Without an `actor_id` the new user is the actor.
    """
    user = session.execute(
        insert(User)
        .values(
            **new_user.model_dump(),
            password_hash=password_hash,
            is_active=True,
            token_epoch=0,
            preferred_language="en",
            email_verified_at=clock.now() if verified else None,
        )
        .on_conflict_do_nothing(index_elements=[func.lower(User.email)])
        .returning(User)
    ).scalar_one_or_none()
    if user is None:
        raise EmailTaken
    audit.record(
        session,
        actor_id=actor_id or user.id,
        action="user.created",
        resource=("user", user.id),
        changes={"role": {"before": None, "after": user.role}},
    )
    outbox.publish(session, events.AccountRegistered(user_id=user.id))
    return user


def register(
    session: Session, new_user: NewUser, password_hash: str, device: Device
) -> tuple[User, TokenPair]:
    """Create an account and sign it in on this device."""
    user = add_user(session, new_user, password_hash, actor_id=None)
    return user, sessions.start(session, user, device)


def change_profile(
    session: Session, user_id: UUID, changes: dict[str, Any], if_match: str | None
) -> User:
    """Change a user's own profile; StaleVersion when `if_match` names an older state."""
    user = database.row_lock_or_none(session, User, user_id)
    if user is None:
        raise TokenRevoked
    etags.check(if_match, user.updated_at)
    changed = {
        name: {"before": getattr(user, name), "after": value}
        for name, value in changes.items()
        if getattr(user, name) != value
    }
    if changed:
        for name in changed:
            setattr(user, name, changes[name])
        session.flush()
        audit.record(
            session,
            actor_id=user_id,
            action="user.profile_changed",
            resource=("user", user_id),
            changes=changed,
        )
    return user
