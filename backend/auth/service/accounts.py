"""Rules of accounts: create, register, change the profile."""

import contextlib
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.auth.schemas import password_policy, staff_likeness
from backend.auth.service import credentials, guessing, sessions
from backend.auth.service.devices import Device
from backend.auth.service.sessions import TokenPair
from backend.shared import events
from backend.shared.domain import audit
from backend.shared.domain.accounts.creation import add_user
from backend.shared.errors import EmailTaken, Invalid, TokenRevoked, invalid
from backend.shared.infra import database
from backend.shared.messaging import outbox
from backend.shared.models import User
from backend.shared.web import etags
from backend.shared.web.schemas.accounts import NewUser

_NAMES = {"first_name", "last_name", "email"}


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
    """Create an account and sign it in on this device; Invalid for one that looks like staff's."""
    if found := staff_likeness.violations(new_user.model_dump(include=_NAMES)):
        raise Invalid(fields=found)
    user = add_user(session, new_user.model_dump(), password_hash, actor_id=None)
    return user, sessions.start(session, user, device)


def request_registration(session: Session, new_user: NewUser, password_hash: str) -> None:
    """Create an account that its owner must verify, or tell the owner that there is one.

    The same work in both cases, so that nobody learns which addresses have accounts.
    """
    existing = session.execute(
        select(User).where(func.lower(User.email) == new_user.email)
    ).scalar_one_or_none()
    if guessing.count(session, guessing.of_mails(new_user.email)) is None:
        return
    if existing is None:
        with contextlib.suppress(EmailTaken):  # a concurrent registration sends the mail
            add_user(session, new_user.model_dump(), password_hash, actor_id=None)
    elif existing.email_verified_at is None:
        outbox.publish(session, events.AccountRegistered(user_id=existing.id))
    else:
        outbox.publish(session, events.RegistrationRepeated(user_id=existing.id))


def check_name(user: User, changes: dict[str, Any]) -> None:
    """Raise Invalid for a name that looks like staff's, unless the address is verified."""
    names = {name: text for name, text in changes.items() if name in _NAMES}
    if user.email_verified_at is None and (found := staff_likeness.violations(names)):
        raise Invalid(fields=found)


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
        check_name(user, changes)
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
