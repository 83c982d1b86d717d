"""Second factor of an account: TOTP (RFC 6238, 30 s, 6 digits) with recovery codes.

The secret is stored encrypted and a recovery code as a keyed digest. A code is accepted once, from
one step before to one after the present.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from backend.auth.service import guessing
from backend.auth.service.guessing import Budget
from backend.shared.domain import audit
from backend.shared.domain.actor import Actor
from backend.shared.errors import Conflict, Forbidden, InvalidCredentials, NotFound
from backend.shared.infra import clock, config, database
from backend.shared.models import RecoveryCode, TotpFactor
from backend.shared.web.security import encryption

WRONG_CODE = "The code is wrong or has been used."
RECOVERY_CODES = 10
_MAX_FAILURES = 100  # in a row; then only a password reset
_STEP = 30  # seconds
_RECOVERY_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_RECOVERY_LENGTH = 10


@dataclass(frozen=True)
class Setup:
    """What an authenticator app needs; shown once."""

    secret: str
    otpauth_uri: str


@dataclass(frozen=True)
class FactorState:
    """Whether a second factor is in force, since when, and the recovery codes left."""

    enabled: bool
    confirmed_at: datetime | None
    recovery_codes_left: int


def state(session: Session, user_id: UUID) -> FactorState:
    """Return the state of the second factor of an account."""
    factor = session.get(TotpFactor, user_id)
    confirmed_at = factor.confirmed_at if factor is not None else None
    left = session.execute(
        select(func.count()).select_from(RecoveryCode).where(RecoveryCode.user_id == user_id)
    ).scalar_one()
    return FactorState(confirmed_at is not None, confirmed_at, left)


def set_up(session: Session, actor: Actor) -> Setup:
    """Create a secret, in force once `confirm` gets a code; Conflict when one is in force."""
    factor = database.row_lock_or_none(session, TotpFactor, actor.id)
    if factor is not None and factor.confirmed_at is not None:
        raise Conflict("A second factor is set up. Remove it first.")
    if factor is not None:
        session.delete(factor)
        session.flush()
    secret = pyotp.random_base32()
    encrypted = encryption.encrypt(secret.encode()).decode()
    session.add(TotpFactor(user_id=actor.id, encrypted_secret=encrypted, last_step=0))
    session.flush()
    uri = pyotp.TOTP(secret).provisioning_uri(
        name=actor.email, issuer_name=config.brand().library_name
    )
    return Setup(secret, uri)


def confirm(session: Session, actor: Actor, code: str) -> list[str]:
    """Put the second factor in force; return its recovery codes, which are shown once."""
    factor = database.row_lock_or_none(session, TotpFactor, actor.id)
    if factor is None or factor.confirmed_at is not None or not _use_totp(session, actor.id, code):
        raise InvalidCredentials(WRONG_CODE)
    factor.confirmed_at = clock.now()
    session.flush()
    _record(session, actor, "user.second_factor_enabled")
    return _new_recovery_codes(session, actor.id)


def remove(session: Session, actor: Actor, code: str) -> None:
    """Remove the second factor of an account whose password has just been given."""
    if not is_enabled(session, actor.id) or not use(session, actor.id, code):
        raise InvalidCredentials(WRONG_CODE)
    discard(session, actor.id)
    _record(session, actor, "user.second_factor_removed")


def reset(session: Session, user_id: UUID, actor: Actor) -> None:
    """Remove the second factor of somebody who has lost it, by an administrator.

    Forbidden for the own one, which takes the password and a code. NotFound without one.
    """
    if user_id == actor.id:
        raise Forbidden("Remove your own second factor with your password and a code.")
    if not discard(session, user_id):
        raise NotFound("This account has no second factor.")
    guessing.reset(session, budget(user_id))
    audit.record(
        session, actor_id=actor.id, action="user.second_factor_reset", resource=("user", user_id)
    )


def discard(session: Session, user_id: UUID) -> bool:
    """Delete secret and recovery codes; return whether there was a second factor."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    removed = session.execute(
        delete(TotpFactor).where(TotpFactor.user_id == user_id).returning(TotpFactor.user_id)
    )
    return removed.one_or_none() is not None


def renew_recovery_codes(session: Session, actor: Actor, code: str) -> list[str]:
    """Replace all recovery codes; needs a code of the authenticator app."""
    if not is_enabled(session, actor.id) or not _use_totp(session, actor.id, code):
        raise InvalidCredentials(WRONG_CODE)
    _record(session, actor, "user.recovery_codes_renewed")
    return _new_recovery_codes(session, actor.id)


def is_enabled(session: Session, user_id: UUID) -> bool:
    """Return whether sign-ins of this account need a code."""
    query = select(TotpFactor.user_id).where(
        TotpFactor.user_id == user_id, TotpFactor.confirmed_at.is_not(None)
    )
    return session.execute(query).one_or_none() is not None


def budget(user_id: UUID) -> Budget:
    """Return the budget of wrong codes, over all challenges of an account."""
    allowed = config.http().login_failures_before_delay
    return Budget(f"second-factor:{user_id}", allowed, _MAX_FAILURES)


def count_try(user_id: UUID) -> None:
    """Count a try as failed in a transaction of its own; InvalidCredentials when none is left."""
    with database.transaction() as session:
        if guessing.count(session, budget(user_id)) is None:
            raise InvalidCredentials(WRONG_CODE)


def use(session: Session, user_id: UUID, code: str) -> bool:
    """Use a code of the app or a recovery code; False when it is wrong or was used before."""
    return _use_totp(session, user_id, code) or _use_recovery_code(session, user_id, code)


def _use_totp(session: Session, user_id: UUID, code: str) -> bool:
    factor = session.get(TotpFactor, user_id)
    if factor is None:
        return False
    totp = pyotp.TOTP(encryption.decrypt(factor.encrypted_secret.encode()).decode())
    present = int(clock.now().timestamp()) // _STEP
    given = "".join(code.split()).encode()
    steps = [
        step
        for step in (present - 1, present, present + 1)
        if hmac.compare_digest(totp.generate_otp(step).encode(), given)
    ]
    if not steps:
        return False
    used = session.execute(
        update(TotpFactor)
        .where(TotpFactor.user_id == user_id, TotpFactor.last_step < max(steps))
        .values(last_step=max(steps))
        .returning(TotpFactor.user_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if used is not None:
        guessing.reset(session, budget(user_id))
    return used is not None


def _use_recovery_code(session: Session, user_id: UUID, code: str) -> bool:
    used = session.execute(
        delete(RecoveryCode)
        .where(RecoveryCode.code_hash == _digest(user_id, code), RecoveryCode.user_id == user_id)
        .returning(RecoveryCode.code_hash)
    ).one_or_none()
    if used is not None:
        guessing.reset(session, budget(user_id))
    return used is not None


def _digest(user_id: UUID, code: str) -> str:
    return encryption.keyed_digest(user_id.bytes + code.strip().lower().replace("-", "").encode())


def _new_recovery_codes(session: Session, user_id: UUID) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [
        "".join(secrets.choice(_RECOVERY_ALPHABET) for _ in range(_RECOVERY_LENGTH))
        for _ in range(RECOVERY_CODES)
    ]
    session.add_all(
        RecoveryCode(code_hash=_digest(user_id, code), user_id=user_id) for code in codes
    )
    session.flush()
    half = _RECOVERY_LENGTH // 2
    return [f"{code[:half]}-{code[half:]}" for code in codes]


def _record(session: Session, actor: Actor, action: str) -> None:
    audit.record(session, actor_id=actor.id, action=action, resource=("user", actor.id))
