"""Summarize a member's loans, limits and holds."""

from uuid import UUID

from sqlalchemy import Connection, func, select

from backend.book.schemas.loans import LoanSummary
from backend.shared.domain.circulation import loan_policies
from backend.shared.errors import NotFound
from backend.shared.infra import clock
from backend.shared.models import CLOSED_STATUSES, BookRequest, Hold, HoldStatus, Loan, User


def read(connection: Connection, user_id: UUID) -> LoanSummary:
    """Read the summary; NotFound for an unknown member."""
    role = connection.execute(select(User.role).where(User.id == user_id)).scalar_one_or_none()
    if role is None:
        raise NotFound("Member not found.")
    policy = loan_policies.policy(connection, role)
    loans = connection.execute(
        select(
            func.count().label("open"),
            func.count().filter(Loan.due_at < clock.now()).label("overdue"),
            func.min(Loan.due_at).label("next_due_at"),
        ).where(Loan.user_id == user_id, Loan.returned_at.is_(None))
    ).one()
    requests = connection.execute(
        select(func.count())
        .select_from(BookRequest)
        .where(BookRequest.user_id == user_id, BookRequest.status.not_in(CLOSED_STATUSES))
    ).scalar_one()
    holds = connection.execute(
        select(
            func.count().filter(Hold.status == HoldStatus.QUEUED).label("waiting"),
            func.count().filter(Hold.status == HoldStatus.READY).label("ready"),
        ).where(Hold.user_id == user_id)
    ).one()
    return LoanSummary(
        user_id=user_id,
        open=loans.open,
        overdue=loans.overdue,
        open_requests=requests,
        limit=policy.max_loans,
        remaining=max(0, policy.max_loans - loans.open - requests),
        next_due_at=loans.next_due_at,
        holds_waiting=holds.waiting,
        holds_ready=holds.ready,
        holds_limit=policy.max_holds,
    )
