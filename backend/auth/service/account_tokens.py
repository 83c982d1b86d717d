"""Single-use tokens that are sent by mail; the database holds digests."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.shared.errors import InvalidToken
from backend.shared.infra import clock
from backend.shared.models import AccountToken, TokenPurpose
from backend.shared.web.security import api_keys


def create(session: Session, user_id: UUID, purpose: TokenPurpose, life: timedelta) -> str:
    """Return a new token; earlier ones stay valid until they expire or one is used."""
    token = api_keys.new_secret()
    now = clock.now()
    session.add(
        AccountToken(
            user_id=user_id,
            purpose=purpose,
            token_hash=api_keys.digest(token),
            created_at=now,
            expires_at=now + life,
        )
    )
    session.flush()
    return token


def owner(session: Session, token: str, purpose: TokenPurpose) -> UUID:
    """Return whose token this is, without using it; InvalidToken for any other text."""
    user_id = session.execute(
        select(AccountToken.user_id).where(
            AccountToken.token_hash == api_keys.digest(token),
            AccountToken.purpose == purpose,
            AccountToken.expires_at > clock.now(),
        )
    ).scalar_one_or_none()
    if user_id is None:
        raise InvalidToken
    return user_id


def use(session: Session, token: str, purpose: TokenPurpose) -> UUID:
    """Use a token and end the others of its purpose; of concurrent uses one succeeds."""
    user_id = session.execute(
        delete(AccountToken)
        .where(
            AccountToken.token_hash == api_keys.digest(token),
            AccountToken.purpose == purpose,
            AccountToken.expires_at > clock.now(),
        )
        .returning(AccountToken.user_id)
    ).scalar_one_or_none()
    if user_id is None:
        raise InvalidToken
    session.execute(
        delete(AccountToken).where(AccountToken.user_id == user_id, AccountToken.purpose == purpose)
    )
    return user_id
