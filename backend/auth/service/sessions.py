"""Sessions: one device someone is signed in on, one family of refresh tokens.

Each refresh token is good for one use. A used one that comes again was stolen, or its successor
was: the whole family ends. See docs/decisions/0004-tokens-and-sessions.md.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.shared import events
from backend.shared.domain import audit
from backend.shared.errors import AccountInactive, NotSignedIn
from backend.shared.infra import clock, config, database, ids
from backend.shared.messaging import outbox
from backend.shared.models import User, UserSession
from backend.shared.web.security import api_keys, authentication, tokens

SIGNED_OUT = "SIGNED_OUT"
REFRESH_TOKEN_REUSED = "REFRESH_TOKEN_REUSED"  # noqa: S105 (a reason, not a token)


@dataclass(frozen=True)
class Device:
    """Where a session was opened, as the device and the gateway say."""

    user_agent: str | None
    ip_address: str | None


@dataclass(frozen=True)
class Tokens:
    """A fresh pair; `expires_in` in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


def start(session: Session, user: User, device: Device) -> Tokens:
    """Sign `user` in on a device: a new session with its first pair of tokens."""
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
    return _pair(user, session_id, refresh_token)


def _pair(user: User, session_id: UUID, refresh_token: str) -> Tokens:
    access_token = tokens.sign(
        user_id=user.id,
        email=user.email,
        role=user.role,
        session_id=session_id,
        epoch=user.token_epoch,
    )
    life = int(config.auth().access_token_life.total_seconds())
    return Tokens(access_token, refresh_token, life)


def rotate(session: Session, refresh_token: str, arrived_at: datetime) -> Tokens | None:
    """The next pair for a token that was never used, which is used up by this.

    None for any other; then its family may have been ended, so commit even so. AccountInactive
    when the library has closed the account. `arrived_at` is when the call reached this service.
    """
    try:
        session_id = tokens.session_of_refresh_token(refresh_token)
    except NotSignedIn:
        return None
    used = api_keys.digest(refresh_token)
    successor = tokens.new_refresh_token(session_id)
    user_id = _claim(session, session_id, used, api_keys.digest(successor))
    if user_id is None:
        _suspect(session, session_id, used, arrived_at)
        return None
    user = session.execute(select(User).where(User.id == user_id)).scalar_one()
    if not user.is_active:
        raise AccountInactive
    return _pair(user, session_id, successor)


def _claim(session: Session, session_id: UUID, used: str, successor: str) -> UUID | None:
    """Exchange the token in one statement: of many at once, one finds it still unused."""
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


def _suspect(session: Session, session_id: UUID, used: str, arrived_at: datetime) -> None:
    """End the family of a used token, unless two calls of one device only raced each other.

    A call that was here before the exchange can't have been made by someone who waited for it.
    """
    family: UserSession | None = database.row_lock(session, UserSession, session_id)
    if family is None or family.refresh_hash == used:
        return
    raced = (
        used == family.previous_hash
        and family.rotated_at is not None
        and arrived_at <= family.rotated_at
    )
    if not raced:
        end(session, family, REFRESH_TOKEN_REUSED, actor_id=None)


def end(session: Session, ending: UserSession, reason: str, *, actor_id: UUID | None) -> None:
    """End a session: its tokens are refused here at once, by every service within two seconds."""
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
    authentication.forget_session(ending.id)
