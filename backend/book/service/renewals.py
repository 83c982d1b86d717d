"""Renew loans: one, or all of a member with the outcome for each."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.book.schemas.actions import OverrideBody
from backend.book.schemas.loans import Renewal
from backend.book.service import loan_reads
from backend.shared import events
from backend.shared.domain import audit, refusals
from backend.shared.domain.circulation import loans, opening_days
from backend.shared.domain.refusals import Reason
from backend.shared.infra import database
from backend.shared.models import Loan


def renew(
    session: Session, actor_id: UUID, loan_id: UUID, override: OverrideBody | None = None
) -> None:
    """Move the due date of a loan, or raise the error of the first reason with all of them."""
    reasons = _reasons(session, loan_id)
    codes = override.codes if override is not None else []
    refusals.refuse(refusals.not_overridden(reasons, codes))
    note: dict[str, object] = {}
    if override is not None and reasons:
        note = {"overridden": [each.value for each in reasons], "note": override.note}
    _move_due_date(session, actor_id, loan_id, note)


def renew_all(session: Session, actor_id: UUID, user_id: UUID) -> list[Renewal]:
    """Renew every loan of a member that can be; the others keep their due date."""
    open_loans = session.execute(
        select(Loan.id).where(Loan.user_id == user_id, Loan.returned_at.is_(None)).order_by(Loan.id)
    ).scalars()
    return [_outcome(session, actor_id, loan_id) for loan_id in open_loans.all()]


def _outcome(session: Session, actor_id: UUID, loan_id: UUID) -> Renewal:
    reasons = _reasons(session, loan_id)
    if not reasons:
        _move_due_date(session, actor_id, loan_id, {})
    return Renewal(
        loan=loan_reads.read_loan(session.connection(), loan_id),
        renewed=not reasons,
        reasons=loan_reads.read_reasons(reasons),
    )


def _reasons(session: Session, loan_id: UUID) -> list[Reason]:
    """Lock a loan and list what speaks against its renewal."""
    database.row_lock(session, Loan, loan_id)
    row = loan_reads.find_loan(session.connection(), loan_id)
    return loan_reads.renewal_reasons(row, opening_days.read(session))


def _move_due_date(
    session: Session, actor_id: UUID, loan_id: UUID, note: dict[str, object]
) -> None:
    loan = session.get_one(Loan, loan_id)
    before = loan.due_at
    renewed = loan_reads.renewed_due(loan, opening_days.read(session))
    loan.due_at = max(before, renewed)  # a renewal never shortens a loan
    loan.renewals += 1
    loan.notice_step = 0
    session.flush()
    loans.publish(session, loan, events.LoanRenewed)
    audit.record(
        session,
        actor_id=actor_id,
        action="loan.renew",
        resource=("loan", loan.id),
        changes={
            "due_at": {"before": before.isoformat(), "after": loan.due_at.isoformat()},
            **note,
        },
    )
