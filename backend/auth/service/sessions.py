"""Rules of sessions: one signed-in device with one family of refresh tokens.

Each refresh token is valid once. When a used one is presented later or elsewhere, it or its
successor was stolen, so the session ends. See docs/decisions/0004-tokens-and-sessions.md.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from backend.auth.service import devices, refresh_tokens
from backend.auth.service.credentials import VerifiedCredentials
from backend.auth.service.devices import Device
from backend.auth.service.second_factor import challenges, factors
from backend.shared import events
from backend.shared.domain import access, audit
from backend.shared.domain.access import Access
from backend.shared.domain.actor import Actor
from backend.shared.errors import (
    AccountInactive,
    InvalidCredentials,
    NotFound,
    NotSignedIn,
    TokenRevoked,
)
from backend.shared.infra import clock, config, database, ids
from backend.shared.infra.config import Registration
from backend.shared.messaging import outbox
from backend.shared.models import KnownDevice, User, UserSession
from backend.shared.web.security import api_keys, authentication, tokens

SIGNED_OUT = "SIGNED_OUT"
GRACE = timedelta(seconds=10)  # in which the response of an exchange is repeated
REFRESH_TOKEN_REUSED = "REFRESH_TOKEN_REUSED"  # noqa: S105 (a reason, not a token)


@dataclass(frozen=True)
class TokenPair:
    """A new token pair; `expires_in` is the lifetime of the access token in seconds.

    A sign-in also has the token by which this device is known from now on.
    """

    access_token: str
    refresh_token: str
    expires_in: int
    device_token: str | None = None


def log_in(session: Session, credentials: VerifiedCredentials, device: Device) -> TokenPair | str:
    """Start a session, or return a challenge when the account has a second factor.

    AccountInactive when the account is deactivated; InvalidCredentials when the password has
    changed since it was verified.
    """
    user = _locked_user(session, credentials.user_id, credentials.password_hash)
    user_id, password_hash = user.id, credentials.renewed_hash or credentials.password_hash
    if factors.is_enabled(session, user_id):
        _update_unversioned(session, user_id, password_hash=password_hash)
        return challenges.create(session, user_id, password_hash)
    _update_unversioned(session, user_id, password_hash=password_hash, last_login_at=clock.now())
    return start(session, user, device)


def log_in_with_code(challenge: str, code: str, device: Device) -> TokenPair:
    """Start the session of a challenge; InvalidCredentials for a wrong or used code.

    Has transactions of its own: a failed try is counted.
    """
    user_id, password_hash = challenges.count_try(challenge)
    with database.transaction() as session:
        user = _locked_user(session, user_id, password_hash)
        if factors.use(session, user_id, code):
            challenges.close(session, challenge)
            _update_unversioned(session, user_id, last_login_at=clock.now())
            return start(session, user, device)
        audit.record(
            session, actor_id=None, action="login.second_factor_failed", resource=("user", user_id)
        )
    raise InvalidCredentials(factors.WRONG_CODE)


def _locked_user(session: Session, user_id: UUID, password_hash: str) -> User:
    user = database.row_lock_or_none(session, User, user_id)
    if user is None or user.password_hash != password_hash:
        raise InvalidCredentials
    if user.email_verified_at is None and config.auth().registration is Registration.VERIFY:
        raise InvalidCredentials
    if not user.is_active:
        raise AccountInactive
    return user


def _update_unversioned(session: Session, user_id: UUID, **values: Any) -> None:
    """Update what is not part of the profile, whose ETag stays."""
    session.execute(
        update(User)
        .where(User.id == user_id)
        .values(**values, updated_at=User.updated_at)
        .execution_options(synchronize_session=False)
    )


def log_out(session: Session, actor: Actor) -> None:
    """End the session of this request."""
    current = database.row_lock_or_none(session, UserSession, actor.session_id)
    if current is None:
        raise TokenRevoked
    end(session, current, SIGNED_OUT, actor_id=actor.id)


def start(session: Session, user: User, device: Device) -> TokenPair:
    """Create a session and issue its first token pair."""
    session_id = ids.uuid7()
    refresh_token = refresh_tokens.new(session_id)
    device_id, device_token = devices.register(session, user.id, device)
    now = clock.now()
    session.add(
        UserSession(
            id=session_id,
            user_id=user.id,
            refresh_hash=api_keys.digest(refresh_token),
            device_id=device_id,
            user_agent=device.user_agent,
            ip_address=device.ip_address,
            created_at=now,
            expires_at=now + config.auth().refresh_token_life,
        )
    )
    audit.record(
        session, actor_id=user.id, action="session.started", resource=("session", session_id)
    )
    return _token_pair(user, session_id, refresh_token, device_token)


def _token_pair(
    user: User, session_id: UUID, refresh_token: str, device_token: str | None = None
) -> TokenPair:
    access_token = tokens.sign(
        user_id=user.id,
        email=user.email,
        role=user.role,
        session_id=session_id,
        epoch=user.token_epoch,
    )
    expires_in = int(config.auth().access_token_life.total_seconds())
    return TokenPair(access_token, refresh_token, expires_in, device_token)


def rotate(session: Session, refresh_token: str, device: Device) -> TokenPair | None:
    """Exchange a refresh token for its successor; return None for a token that is not valid.

    The token just exchanged gives the same successor again for 10 s to the same device, whose
    first response may have been lost. Commit in all cases: any other reuse ends the session.
    AccountInactive when the account is deactivated.
    """
    try:
        session_id = refresh_tokens.session_of(refresh_token)
        successor = refresh_tokens.successor(refresh_token)
    except NotSignedIn:
        return None
    used = api_keys.digest(refresh_token)
    user_id = _exchange(session, session_id, used, api_keys.digest(successor), device)
    if user_id is None:
        user_id = _repeat_or_end(session, session_id, used, device)
    if user_id is None:
        return None
    user = session.execute(select(User).where(User.id == user_id)).scalar_one()
    if not user.is_active:
        raise AccountInactive
    return _token_pair(user, session_id, successor)


def _exchange(
    session: Session, session_id: UUID, used: str, successor: str, device: Device
) -> UUID | None:
    """Replace the token hash in one statement: of concurrent requests exactly one succeeds."""
    now = clock.now()
    return session.execute(
        update(UserSession)
        .where(
            UserSession.id == session_id,
            UserSession.refresh_hash == used,
            UserSession.ended_at.is_(None),
            UserSession.expires_at > now,
        )
        .values(
            refresh_hash=successor,
            previous_hash=used,
            rotated_at=now,
            user_agent=device.user_agent,
            ip_address=device.ip_address,
            expires_at=now + config.auth().refresh_token_life,
        )
        .returning(UserSession.user_id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()


def _repeat_or_end(session: Session, session_id: UUID, used: str, device: Device) -> UUID | None:
    """Return the user when a lost response may be repeated; end the session of any other reuse."""
    current = database.row_lock_or_none(session, UserSession, session_id)
    if current is None or current.refresh_hash == used or current.ended_at is not None:
        return None
    is_recent = current.rotated_at is not None and clock.now() - current.rotated_at <= GRACE
    if used == current.previous_hash and is_recent and _is_same_device(session, current, device):
        return current.user_id
    end(session, current, REFRESH_TOKEN_REUSED, actor_id=None)
    return None


def _is_same_device(session: Session, current: UserSession, device: Device) -> bool:
    """Compare the device token if both have one, else browser and network address."""
    if device.token is not None and current.device_id is not None:
        known = session.get(KnownDevice, current.device_id)
        return known is not None and known.token_hash == device.token_hash
    return (device.user_agent, device.ip_address) == (current.user_agent, current.ip_address)


def sign_out(session: Session, actor: Actor, session_id: UUID) -> None:
    """End one of the own sessions and forget its device; NotFound for another person's."""
    ending = database.row_lock_or_none(session, UserSession, session_id)
    if ending is None or ending.ended_at is not None:
        raise NotFound("Session not found.")
    access.require(actor, ending.user_id, Access.OWN, "Session")
    end(session, ending, SIGNED_OUT, actor_id=actor.id)
    if ending.device_id is not None:
        devices.forget(session, ending.device_id)


def sign_out_everywhere(session: Session, actor: Actor, keep: UUID | None) -> None:
    """End every own session and forget every device, except those of the session `keep`."""
    end_all(session, actor.id, SIGNED_OUT, actor_id=actor.id, keep=keep)
    kept = session.get(UserSession, keep) if keep is not None else None
    session.execute(
        delete(KnownDevice).where(
            KnownDevice.user_id == actor.id,
            KnownDevice.id != (kept.device_id if kept and kept.device_id else ids.uuid7()),
        )
    )


def end_all(
    session: Session,
    user_id: UUID,
    reason: str,
    *,
    actor_id: UUID | None,
    keep: UUID | None = None,
) -> None:
    """End every session of an account, except `keep`."""
    open_sessions = (
        select(UserSession)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
        .order_by(UserSession.id)
        .with_for_update()
    )
    for each in session.execute(open_sessions).scalars().all():
        if each.id != keep:
            end(session, each, reason, actor_id=actor_id)


def end(session: Session, ending: UserSession, reason: str, *, actor_id: UUID | None) -> None:
    """End a session: this process refuses its tokens at once, every other within two seconds."""
    if ending.ended_at is not None:
        return
    ending.ended_at = clock.now()
    ending.end_reason = reason
    audit.record(
        session,
        actor_id=actor_id,
        action="session.ended",
        resource=("session", ending.id),
        changes={"reason": reason},
    )
    outbox.publish(
        session,
        events.SessionEnded(user_id=ending.user_id, session_id=ending.id, reason=reason),
    )
    authentication.invalidate_session(ending.id)
