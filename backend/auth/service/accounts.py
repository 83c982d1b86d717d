"""The rules of accounts: who gets one, who proves to be its owner, what they may change."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.auth import queries
from backend.auth.schemas import email_normalization, password_policy
from backend.auth.schemas.accounts import NewUser
from backend.auth.service import sessions
from backend.auth.service.sessions import Device, Tokens
from backend.shared import events
from backend.shared.domain import actor, audit
from backend.shared.errors import (
    AccountInactive,
    EmailTaken,
    InvalidCredentials,
    TokenRevoked,
    invalid,
)
from backend.shared.infra import clock, database
from backend.shared.messaging import outbox
from backend.shared.models import User, UserSession
from backend.shared.web import etags
from backend.shared.web.security import api_keys, passwords, rate_limits


@dataclass(frozen=True)
class VerifiedCredentials:
    """Someone who knew the password of an account, as it was a moment ago."""

    user_id: UUID
    password_hash: str
    renewed_hash: str | None


def create_user(
    session: Session, newcomer: NewUser, password: str, *, actor_id: UUID | None = None
) -> User:
    """An account in any role, made by the library itself (the first administrator, the demo).

    EmailTaken when the address has one; Invalid when the password is not good enough. Takes the
    time of a hash.
    """
    found = password_policy.violations(password, newcomer.email)
    if found:
        raise invalid("password", "; ".join(found))
    return add_user(session, newcomer, hashed(password), actor_id=actor_id)


def hashed(password: str) -> str:
    """What is stored of a password. Slow on purpose."""
    return passwords.hash_password(password_policy.normal(password))


def add_user(
    session: Session, newcomer: NewUser, password_hash: str, *, actor_id: UUID | None
) -> User:
    """The account itself; two at once for one address are settled by its unique index.

    Without an `actor_id` it is the newcomer who does it.
    """
    user = session.execute(
        insert(User)
        .values(
            **newcomer.model_dump(),
            password_hash=password_hash,
            is_active=True,
            token_epoch=0,
            preferred_language="en",
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
    outbox.publish(
        session,
        events.AccountRegistered(user_id=user.id, email=user.email, first_name=user.first_name),
    )
    return user


def register(
    session: Session, newcomer: NewUser, password_hash: str, device: Device
) -> tuple[User, Tokens]:
    """A newcomer's account, signed in on the device they made it with."""
    user = add_user(session, newcomer, password_hash, actor_id=None)
    return user, sessions.start(session, user, device)


def check_credentials(email: str, password: str) -> VerifiedCredentials:
    """Whoever knows this account's password; InvalidCredentials for everybody else.

    The same work is done whether or not there is such an account. After some failures the account
    is not asked at all for a while, in the same words. Call it at most twice at once: it hashes.
    """
    address = email_normalization.as_asked(email)
    account = api_keys.digest(address)
    if rate_limits.delay_guessing(account):
        raise InvalidCredentials
    with database.reading_engine().connect() as connection:
        known = connection.execute(queries.credentials(address)).one_or_none()
    password_hash = known.password_hash if known is not None else None
    matches, renewed = passwords.verify_password(password_policy.normal(password), password_hash)
    if known is None or not matches:
        rate_limits.count_failure(account)
        _note_failure(known.id if known is not None else None)
        raise InvalidCredentials
    rate_limits.forget_failures(account)
    return VerifiedCredentials(known.id, known.password_hash, renewed)


def _note_failure(user_id: UUID | None) -> None:
    """Without the address that was tried: people type passwords there."""
    with database.transaction() as session:
        audit.record(session, actor_id=None, action="login.failed", resource=("user", user_id))


def log_in(session: Session, proven: VerifiedCredentials, device: Device) -> Tokens:
    """A new session for its owner; AccountInactive when the library has closed the account.

    InvalidCredentials when the password was changed since it was proven.
    """
    user: User | None = database.row_lock(session, User, proven.user_id)
    if user is None or user.password_hash != proven.password_hash:
        raise InvalidCredentials
    if not user.is_active:
        raise AccountInactive
    session.execute(
        update(User)
        .where(User.id == user.id)
        .values(
            last_login_at=clock.now(),
            password_hash=proven.renewed_hash or user.password_hash,
            updated_at=User.updated_at,  # a sign-in changes nothing that the owner wrote
        )
        .execution_options(synchronize_session=False)
    )
    return sessions.start(session, user, device)


def log_out(session: Session, actor: actor.Actor) -> None:
    """End the session that this call was made with."""
    mine: UserSession | None = database.row_lock(session, UserSession, actor.session_id)
    if mine is None:
        raise TokenRevoked
    sessions.end(session, mine, sessions.SIGNED_OUT, actor_id=actor.id)


def change_profile(
    session: Session, user_id: UUID, changes: dict[str, Any], if_match: str | None
) -> User:
    """Change what someone may change of themselves; StaleVersion when they read an older state."""
    user: User | None = database.row_lock(session, User, user_id)
    if user is None:
        raise TokenRevoked
    etags.check(if_match, etags.etag(user.updated_at))
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
