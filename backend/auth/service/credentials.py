"""Verify e-mail and password, in equal time for known and unknown addresses."""

from dataclasses import dataclass
from uuid import UUID

from backend.auth import queries
from backend.auth.schemas import password_policy
from backend.auth.service import devices, guessing
from backend.auth.service.devices import Device
from backend.auth.service.guessing import Budget
from backend.shared import events
from backend.shared.domain import audit
from backend.shared.errors import InvalidCredentials
from backend.shared.infra import clock, database
from backend.shared.messaging import outbox
from backend.shared.web.schemas import email_normalization
from backend.shared.web.security import passwords


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


def verify(email: str, password: str, device: Device) -> VerifiedCredentials:
    """Return the account with this password; InvalidCredentials otherwise.

    Does the same work whether or not the account exists. After repeated failures sign-ins are
    refused for a while without a check, with the same error. Computes a hash: run at most two at
    a time.
    """
    address = email_normalization.normalize_for_lookup(email)
    attempt = _begin(address, device)
    matches, renewed = passwords.verify_password(
        password_policy.normalize(password), attempt.password_hash
    )
    if attempt.user_id is None or attempt.password_hash is None or not matches:
        _record_failure(attempt)
        raise InvalidCredentials
    with database.transaction() as session:
        guessing.reset(session, attempt.budget)
        if attempt.address_budget is not None:
            guessing.take_back(session, attempt.address_budget)
    return VerifiedCredentials(attempt.user_id, attempt.password_hash, renewed)


@dataclass(frozen=True)
class _Attempt:
    """A sign-in that has been counted as failed until its password proves correct."""

    user_id: UUID | None
    password_hash: str | None
    device_id: UUID | None
    budget: Budget
    address_budget: Budget | None
    number: int  # in a row


def _begin(address: str, device: Device) -> _Attempt:
    """Read the account and count the attempt; InvalidCredentials when none is left."""
    query = queries.credentials(address, device.token_hash, clock.now())
    with database.transaction() as session:
        row = session.execute(query).one_or_none()
        user_id, password_hash, device_id = row if row is not None else (None, None, None)
        budget = guessing.of_device(device_id) if device_id else guessing.of_account(address)
        address_budget = guessing.of_address(device.ip_address)
        if address_budget is not None and guessing.count(session, address_budget) is None:
            raise InvalidCredentials
        number = guessing.count(session, budget)
        if number is None:
            raise InvalidCredentials
    return _Attempt(user_id, password_hash, device_id, budget, address_budget, number)


def _record_failure(attempt: _Attempt) -> None:
    """Audit without the address that was typed: users mistype their password into that field."""
    with database.transaction() as session:
        audit.record(
            session, actor_id=None, action="login.failed", resource=("user", attempt.user_id)
        )
        if attempt.user_id is None or attempt.number < attempt.budget.maximum:
            return
        if attempt.device_id is not None:
            devices.forget(session, attempt.device_id)
            guessing.reset(session, attempt.budget)
        else:
            outbox.publish(session, events.LoginLimited(user_id=attempt.user_id))
