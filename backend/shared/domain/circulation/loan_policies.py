"""Rules of loans and holds per role and kind of copy."""

from dataclasses import asdict, dataclass, fields

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.orm import Session

from backend.shared.infra import config
from backend.shared.models import CopyKind, LoanPolicy, Role, table


@dataclass(frozen=True)
class Policy:
    """The rules for one role and one kind of copy."""

    loan_days: int
    max_renewals: int
    max_loans: int
    max_overdue: int
    max_holds: int
    hold_days: int

    def snapshot(self) -> dict[str, int]:
        """Return the rules as they are kept with a loan."""
        return asdict(self)


_POLICY = table(LoanPolicy).c
_POLICY_OF = select(*(_POLICY[each.name] for each in fields(Policy))).where(
    _POLICY.role == bindparam("role"), _POLICY.kind == bindparam("kind")
)


def policy(session: Session | Connection, role: Role, kind: CopyKind = CopyKind.STANDARD) -> Policy:
    """Return the rules that the library has set, or those of the settings."""
    row = session.execute(_POLICY_OF, {"role": role, "kind": kind}).mappings().one_or_none()
    return default(kind) if row is None else Policy(**row)


def default(kind: CopyKind) -> Policy:
    """Return the rules of the settings."""
    settings = config.loans()
    short = kind is CopyKind.SHORT_LOAN
    return Policy(
        loan_days=settings.short_loan_days if short else settings.loan_days,
        max_renewals=settings.renewals_per_loan,
        max_loans=settings.loans_per_member,
        max_overdue=settings.overdue_per_member,
        max_holds=settings.holds_per_member,
        hold_days=settings.hold_days,
    )
