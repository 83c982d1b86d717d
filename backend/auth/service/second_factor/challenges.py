"""Sign-ins that wait for a second factor: a challenge is valid for 5 minutes and 5 tries."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from backend.auth.service.second_factor import factors
from backend.shared.errors import InvalidCredentials
from backend.shared.infra import clock, database
from backend.shared.models import LoginChallenge
from backend.shared.web.security import api_keys

CHALLENGE_LIFE = timedelta(minutes=5)
MAX_TRIES = 5


def create(session: Session, user_id: UUID, password_hash: str) -> str:
    """Return a challenge for an account whose password has just been given."""
    challenge = api_keys.new_secret()
    now = clock.now()
    session.add(
        LoginChallenge(
            challenge_hash=api_keys.digest(challenge),
            user_id=user_id,
            password_hash=password_hash,
            created_at=now,
            expires_at=now + CHALLENGE_LIFE,
        )
    )
    session.flush()
    return challenge


def count_try(challenge: str) -> tuple[UUID, str]:
    """Count a try, also when it fails; return the account and its password hash at the time.

    InvalidCredentials for a challenge that is unknown, expired, used or out of tries.
    """
    with database.transaction() as session:
        found = session.execute(
            update(LoginChallenge)
            .where(
                LoginChallenge.challenge_hash == api_keys.digest(challenge),
                LoginChallenge.expires_at > clock.now(),
                LoginChallenge.tries < MAX_TRIES,
            )
            .values(tries=LoginChallenge.tries + 1)
            .returning(LoginChallenge.user_id, LoginChallenge.password_hash)
        ).one_or_none()
    if found is None:
        raise InvalidCredentials(factors.WRONG_CODE)
    factors.count_try(found.user_id)
    return found.user_id, found.password_hash


def close(session: Session, challenge: str) -> None:
    """Use the challenge; of concurrent uses one succeeds."""
    used = session.execute(
        delete(LoginChallenge)
        .where(LoginChallenge.challenge_hash == api_keys.digest(challenge))
        .returning(LoginChallenge.user_id)
    ).one_or_none()
    if used is None:
        raise InvalidCredentials(factors.WRONG_CODE)
