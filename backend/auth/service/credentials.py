"""Verify e-mail and password, in equal time for known and unknown addresses."""

from dataclasses import dataclass
from uuid import UUID

from backend.auth import queries
from backend.auth.schemas import email_normalization, password_policy
from backend.shared.domain import audit
from backend.shared.errors import InvalidCredentials
from backend.shared.infra import database
from backend.shared.web.security import api_keys, passwords, rate_limits


@dataclass(frozen=True)
class VerifiedCredentials:
    """The account whose password was given, as of a moment ago.

    `renewed_hash` is set when the hash parameters have risen since the password was stored.
    """

    user_id: UUID
    password_hash: str
    renewed_hash: str | None


def hash_password(password: str) -> str:
    """Return the hash to store. Takes 60 ms of a core by design."""
    return passwords.hash_password(password_policy.normalize(password))


def verify(email: str, password: str) -> VerifiedCredentials:
    """Return the account with this password; InvalidCredentials otherwise.

    Does the same work whether or not the account exists. After repeated failures the account is
    refused for a while without a check, with the same error. Computes a hash: run at most two at
    a time.
    """
    address = email_normalization.normalize_for_lookup(email)
    account = api_keys.digest(address)
    if rate_limits.is_login_delayed(account):
        raise InvalidCredentials
    with database.reading_engine().connect() as connection:
        row = connection.execute(queries.credentials(address)).one_or_none()
    user_id, password_hash = row if row is not None else (None, None)
    matches, renewed = passwords.verify_password(password_policy.normalize(password), password_hash)
    if user_id is None or password_hash is None or not matches:
        rate_limits.count_login_failure(account)
        _record_failure(user_id)
        raise InvalidCredentials
    rate_limits.reset_login_failures(account)
    return VerifiedCredentials(user_id, password_hash, renewed)


def _record_failure(user_id: UUID | None) -> None:
    """Audit without the address that was typed: users mistype their password into that field."""
    with database.transaction() as session:
        audit.record(session, actor_id=None, action="login.failed", resource=("user", user_id))
