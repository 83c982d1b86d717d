"""Rules of forgotten, reset and changed passwords, and of verified addresses."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.auth import queries
from backend.auth.schemas import password_policy
from backend.auth.service import account_tokens, credentials, guessing, sessions
from backend.auth.service.devices import Device
from backend.auth.service.guessing import Budget
from backend.auth.service.second_factor import factors
from backend.auth.service.sessions import TokenPair
from backend.shared import events
from backend.shared.domain import audit
from backend.shared.domain.actor import Actor
from backend.shared.errors import (
    AccountInactive,
    InvalidCredentials,
    InvalidToken,
    RateLimited,
    TokenRevoked,
    invalid,
)
from backend.shared.infra import clock, database
from backend.shared.messaging import outbox
from backend.shared.models import TokenPurpose, User
from backend.shared.web.schemas import email_normalization
from backend.shared.web.security import encryption, passwords

PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 (a reason, not a password)
_NO_DELAY = 2**31 - 1


def request_reset(session: Session, email: str) -> None:
    """Publish that a link was asked for; the same work for an address without an account."""
    address = email_normalization.normalize_for_lookup(email)
    row = session.execute(queries.credentials(address, "", clock.now())).one_or_none()
    if guessing.count(session, guessing.of_mails(address)) is None:
        return
    nobody = UUID(encryption.keyed_digest(address.encode())[:32], version=4)
    user_id = row[0] if row is not None else nobody
    outbox.publish(session, events.PasswordResetRequested(user_id=user_id))


def hash_for_reset(token: str, new_password: str) -> str:
    """Return the hash of a new password; InvalidToken or Invalid before it is computed.

    Computes a hash: run at most two at a time.
    """
    with database.transaction() as session:
        user_id = account_tokens.owner(session, token, TokenPurpose.RESET_PASSWORD)
        email = session.execute(select(User.email).where(User.id == user_id)).scalar_one()
    return _hash_new(new_password, email, "new_password")


def _hash_new(password: str, email: str, field: str) -> str:
    violations = password_policy.violations(password, email)
    if violations:
        raise invalid(field, "; ".join(violations))
    return credentials.hash_password(password)


def reset(session: Session, token: str, password_hash: str) -> None:
    """Set a new password by a mailed token; every session ends and nobody is signed in."""
    user_id = account_tokens.use(session, token, TokenPurpose.RESET_PASSWORD)
    user = database.row_lock_or_none(session, User, user_id)
    if user is None or not user.is_active:
        raise InvalidToken
    user.email_verified_at = user.email_verified_at or clock.now()
    _set(session, user, password_hash, action="user.password_reset")
    guessing.reset(session, guessing.of_account(user.email))
    guessing.reset(session, factors.budget(user.id))


def _set(session: Session, user: User, password_hash: str, *, action: str) -> None:
    user.password_hash = password_hash
    user.token_epoch += 1
    session.flush()
    audit.record(session, actor_id=user.id, action=action, resource=("user", user.id))
    outbox.publish(session, events.PasswordChanged(user_id=user.id))
    sessions.end_all(session, user.id, PASSWORD_CHANGED, actor_id=user.id)


def check_current(user_id: UUID, password: str) -> str:
    """Return the stored hash that the password matches.

    InvalidCredentials for a wrong password or after many of them. Computes a hash: run at most two
    at a time.
    """
    budget = Budget(f"password:{user_id}", _NO_DELAY, guessing.MAX_DEVICE_FAILURES)
    with database.transaction() as session:
        stored = session.execute(
            select(User.password_hash).where(User.id == user_id)
        ).scalar_one_or_none()
        if guessing.count(session, budget) is None:
            raise InvalidCredentials
    matches, _ = passwords.verify_password(password_policy.normalize(password), stored)
    if stored is None or not matches:
        raise InvalidCredentials
    with database.transaction() as session:
        guessing.reset(session, budget)
    return stored


def verify_current(actor: Actor, current: str, new: str) -> tuple[str, str]:
    """Return the stored hash that `current` matches, and the hash of the new password.

    InvalidCredentials as `check_current`. Computes two hashes.
    """
    stored = check_current(actor.id, current)
    if password_policy.normalize(new) == password_policy.normalize(current):
        raise invalid("new_password", "must differ from the current password")
    return stored, _hash_new(new, actor.email, "new_password")


def change(session: Session, actor: Actor, hashes: tuple[str, str], device: Device) -> TokenPair:
    """Change the own password: every session ends, and a new one begins on this device."""
    verified, new_hash = hashes
    user = database.row_lock_or_none(session, User, actor.id)
    if user is None:
        raise TokenRevoked
    if not user.is_active:
        raise AccountInactive
    if user.password_hash != verified:
        raise InvalidCredentials
    _set(session, user, new_hash, action="user.password_changed")
    return sessions.start(session, user, device)


def verify_email(session: Session, token: str) -> None:
    """Record that the owner of an account reads its address."""
    user_id = account_tokens.use(session, token, TokenPurpose.VERIFY_EMAIL)
    user = database.row_lock_or_none(session, User, user_id)
    if user is None or not user.is_active:
        raise InvalidToken
    user.email_verified_at = user.email_verified_at or clock.now()
    session.flush()
    audit.record(
        session, actor_id=user.id, action="user.email_verified", resource=("user", user.id)
    )


def request_verification(session: Session, actor: Actor) -> None:
    """Send the link again, unless the address is verified; RateLimited after three an hour."""
    user = session.get(User, actor.id)
    if user is None or user.email_verified_at is not None:
        return
    if guessing.count(session, guessing.of_mails(user.email)) is None:
        raise RateLimited("Too many mails. Wait an hour and try again.")
    outbox.publish(session, events.EmailVerificationRequested(user_id=user.id))
