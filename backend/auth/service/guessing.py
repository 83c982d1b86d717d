"""Limits of failed sign-ins, counted in PostgreSQL: per account, known device and address.

A try is counted before its hash is computed and taken back when the password was correct, so that
any number of concurrent guesses computes few hashes. Unknown addresses are counted like known ones.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from backend.shared.infra import clock, config
from backend.shared.models import SignInFailures
from backend.shared.web.security import encryption

MAX_DELAY = 60  # seconds
MAX_DEVICE_FAILURES = 20  # in a row; then the device is no longer known
MAX_MAILS_PER_HOUR = 3
_ADDRESS_WINDOW = 15 * 60  # seconds
_NO_LIMIT = 2**31 - 1

# A try below the limit leaves `blocked_until` alone: concurrent tries read the clock in another
# order than they reach the row, and none of them may be refused for that.
_COUNT = text(
    """
    INSERT INTO sign_in_failures AS f (subject, failures, blocked_until, updated_at)
    VALUES (:subject, 1, CAST(:now AS timestamptz) - interval '1 day', :now)
    ON CONFLICT (subject) DO UPDATE SET
        failures = f.failures + 1,
        updated_at = :now,
        blocked_until = CASE
            WHEN f.failures + 1 < :allowed THEN f.blocked_until
            ELSE CAST(:now AS timestamptz)
                + make_interval(secs => least(:delay, 2 ^ least(f.failures + 1 - :allowed, 10)))
        END
    WHERE f.blocked_until <= :now AND f.failures < :maximum
    RETURNING failures
    """
)


@dataclass(frozen=True)
class Budget:
    """Failures in a row: from `allowed` on each causes a delay, after `maximum` no try is left."""

    subject: str
    allowed: int
    maximum: int


def of_account(email: str) -> Budget:
    """Return the budget that all unknown devices share; `email` is normalized."""
    settings = config.http()
    subject = f"account:{encryption.keyed_digest(email.encode())}"
    return Budget(subject, settings.login_failures_before_delay, settings.login_failures_in_a_row)


def of_device(device_id: UUID) -> Budget:
    """Return the budget of a device that has signed in to this account before."""
    return Budget(
        f"device:{device_id}", config.http().login_failures_before_delay, MAX_DEVICE_FAILURES
    )


def of_address(ip_address: str | None) -> Budget | None:
    """Return the budget of a network address in the current window; None without a limit."""
    limit = config.http().login_failures_per_address
    if ip_address is None or not limit:
        return None
    window = int(clock.now().timestamp()) // _ADDRESS_WINDOW
    digest = encryption.keyed_digest(ip_address.encode())
    return Budget(f"address:{digest}:{window}", _NO_LIMIT, limit)


def of_mails(address: str) -> Budget:
    """Return the budget of mails that strangers may cause an address to get in this hour."""
    digest = encryption.keyed_digest(address.encode())
    hour = int(clock.now().timestamp()) // 3600
    return Budget(f"mail:{digest}:{hour}", _NO_LIMIT, MAX_MAILS_PER_HOUR)


def count(session: Session, budget: Budget) -> int | None:
    """Count a try as failed and return its number in a row; None when it is refused.

    The statement waits for concurrent tries of the same subject.
    """
    number: int | None = session.execute(
        _COUNT,
        {
            "subject": budget.subject,
            "now": clock.now(),
            "allowed": budget.allowed,
            "delay": MAX_DELAY,
            "maximum": budget.maximum,
        },
    ).scalar_one_or_none()
    return number


def reset(session: Session, budget: Budget) -> None:
    """Forget the failures of an account or a device: its password was given."""
    session.execute(delete(SignInFailures).where(SignInFailures.subject == budget.subject))


def take_back(session: Session, budget: Budget) -> None:
    """Uncount one try of an address: it was no failure, but others were."""
    session.execute(
        update(SignInFailures)
        .where(SignInFailures.subject == budget.subject)
        .values(failures=SignInFailures.failures - 1)
    )
