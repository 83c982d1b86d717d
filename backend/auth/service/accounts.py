"""Rules of accounts: create, register, change the profile."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.auth.schemas import password_policy
from backend.auth.service import credentials, sessions
from backend.auth.service.devices import Device
from backend.auth.service.sessions import TokenPair
from backend.shared.domain import audit
from backend.shared.domain.accounts.creation import add_user
from backend.shared.errors import TokenRevoked, invalid
from backend.shared.infra import database
from backend.shared.models import User
from backend.shared.web import etags
from backend.shared.web.schemas.accounts import NewUser


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
    fields = new_user.model_dump()
    return add_user(session, fields, password_hash, actor_id=actor_id, verified=True)


def register(
    session: Session, new_user: NewUser, password_hash: str, device: Device
) -> tuple[User, TokenPair]:
    """Create an account and sign it in on this device."""
    user = add_user(session, new_user.model_dump(), password_hash, actor_id=None)
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
