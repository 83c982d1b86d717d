"""Rules of sessions: one signed-in device with one family of refresh tokens.

Each refresh token is valid once. When a used one is presented again, it or its successor was
stolen, so the session ends. See docs/decisions/0004-tokens-and-sessions.md.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.auth.service.credentials import VerifiedCredentials
from backend.shared import events
from backend.shared.domain import audit
from backend.shared.domain.actor import Actor
from backend.shared.errors import AccountInactive, InvalidCredentials, NotSignedIn, TokenRevoked
from backend.shared.infra import clock, config, database, ids
from backend.shared.messaging import outbox
from backend.shared.models import User, UserSession
from backend.shared.web.security import api_keys, authentication, tokens

SIGNED_OUT = "SIGNED_OUT"
REFRESH_TOKEN_REUSED = "REFRESH_TOKEN_REUSED"  # noqa: S105 (a reason, not a token)


@dataclass(frozen=True)
class Device:
    """The device of a session, as its headers and the gateway report it."""

    user_agent: str | None
    ip_address: str | None


@dataclass(frozen=True)
class TokenPair:
    """A new token pair; `expires_in` is the lifetime of the access token in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


def log_in(session: Session, credentials: VerifiedCredentials, device: Device) -> TokenPair:
    """Start a session; AccountInactive when the account is deactivated.

    InvalidCredentials when the password has changed since it was verified.
    """
    user = database.row_lock_or_none(session, User, credentials.user_id)
    if user is None or user.password_hash != credentials.password_hash:
        raise InvalidCredentials
    if not user.is_active:
        raise AccountInactive
    session.execute(
        update(User)
        .where(User.id == user.id)
        .values(
            last_login_at=clock.now(),
            password_hash=credentials.renewed_hash or user.password_hash,
            updated_at=User.updated_at,  # the profile has not changed: its ETag stays
        )
        .execution_options(synchronize_session=False)
    )
    return start(session, user, device)


def log_out(session: Session, actor: Actor) -> None:
    """End the session of this request."""
    current = database.row_lock_or_none(session, UserSession, actor.session_id)
    if current is None:
        raise TokenRevoked
    end(session, current, SIGNED_OUT, actor_id=actor.id)


def start(session: Session, user: User, device: Device) -> TokenPair:
    """Create a session and issue its first token pair."""
    session_id = ids.uuid7()
    refresh_token = tokens.new_refresh_token(session_id)
    now = clock.now()
    session.add(
        UserSession(
            id=session_id,
            user_id=user.id,
            refresh_hash=api_keys.digest(refresh_token),
            user_agent=device.user_agent,
            ip_address=device.ip_address,
            created_at=now,
            expires_at=now + config.auth().refresh_token_life,
        )
    )
    audit.record(
        session, actor_id=user.id, action="session.started", resource=("session", session_id)
    )
    return _token_pair(user, session_id, refresh_token)


def _token_pair(user: User, session_id: UUID, refresh_token: str) -> TokenPair:
    access_token = tokens.sign(
        user_id=user.id,
        email=user.email,
        role=user.role,
        session_id=session_id,
        epoch=user.token_epoch,
    )
    expires_in = int(config.auth().access_token_life.total_seconds())
    return TokenPair(access_token, refresh_token, expires_in)


def rotate(session: Session, refresh_token: str, received_at: datetime) -> TokenPair | None:
    """Exchange an unused refresh token for a new pair; return None for any other token.

    Commit in both cases: a reused token ends its session. AccountInactive when the account is
    deactivated. `received_at` is when the request reached this service.
    """
    try:
        session_id = tokens.session_of_refresh_token(refresh_token)
    except NotSignedIn:
        return None
    used = api_keys.digest(refresh_token)
    successor = tokens.new_refresh_token(session_id)
    user_id = _exchange(session, session_id, used, api_keys.digest(successor))
    if user_id is None:
        _end_if_reused(session, session_id, used, received_at)
        return None
    user = session.execute(select(User).where(User.id == user_id)).scalar_one()
    if not user.is_active:
        raise AccountInactive
    return _token_pair(user, session_id, successor)


def _exchange(session: Session, session_id: UUID, used: str, successor: str) -> UUID | None:
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
            expires_at=now + config.auth().refresh_token_life,
        )
        .returning(UserSession.user_id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()


def _end_if_reused(session: Session, session_id: UUID, used: str, received_at: datetime) -> None:
    """End the session of a used token, unless two requests of one device raced each other.

    A request received before the exchange cannot carry a token stolen after it.
    """
    current = database.row_lock_or_none(session, UserSession, session_id)
    if current is None or current.refresh_hash == used:
        return
    raced = (
        used == current.previous_hash
        and current.rotated_at is not None
        and received_at <= current.rotated_at
    )
    if not raced:
        end(session, current, REFRESH_TOKEN_REUSED, actor_id=None)


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
