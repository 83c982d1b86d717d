"""Reminders of due dates, computed from the last one sent, so that a missed night catches up.

One digest a member and day joins all loans; a loan that is closed before is left out, also by the
consumer of the event.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from backend.shared import events
from backend.shared.domain.circulation import loans, opening_days
from backend.shared.infra import clock, config
from backend.shared.messaging import outbox
from backend.shared.models import Loan, LoanState, NoticeDay

_OVERDUE_DAYS = (0, 7, 14, 28)  # after the due date: a reminder each
DUE_SOON = 1  # the first step; the next ones are overdue
LAST_STEP = DUE_SOON + len(_OVERDUE_DAYS)
_BATCH = 500  # loans


def step_due(due_at: datetime, now: datetime) -> int:
    """Return the number of the reminder that is due by now; 0 before the first."""
    if now < due_at - timedelta(days=config.loans().due_soon_days):
        return 0
    return DUE_SOON + sum(now > due_at + timedelta(days=days) for days in _OVERDUE_DAYS)


def remind(session: Session) -> int:
    """Publish the reminders that are due; return the number of members reminded."""
    due: dict[UUID, list[Loan]] = defaultdict(list)
    now = clock.now()
    for loan in session.execute(_candidates(now)).scalars():
        if loan.user_id is not None and step_due(loan.due_at, now) > loan.notice_step:
            due[loan.user_id].append(loan)
    return sum(_remind_member(session, user_id, due[user_id], now) for user_id in sorted(due))


def _candidates(now: datetime) -> Select[Loan]:
    horizon = now + timedelta(days=config.loans().due_soon_days)
    reminded = (
        select(NoticeDay.user_id)
        .where(NoticeDay.user_id == Loan.user_id, NoticeDay.day == opening_days.today())
        .exists()
    )
    return (
        select(Loan)
        .where(
            Loan.returned_at.is_(None),
            Loan.state == LoanState.ACTIVE,
            Loan.due_at <= horizon,
            Loan.notice_step < LAST_STEP,
            ~reminded,
        )
        .order_by(Loan.due_at, Loan.id)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _remind_member(session: Session, user_id: UUID, due: list[Loan], now: datetime) -> bool:
    """Publish one digest of a member's loans, unless there was one today."""
    first = session.execute(
        insert(NoticeDay)
        .values(user_id=user_id, day=opening_days.today())
        .on_conflict_do_nothing()
        .returning(NoticeDay.user_id)
    ).scalar_one_or_none()
    if first is None:
        return False
    digest = [_remind_loan(session, loan, now) for loan in due]
    outbox.publish(session, events.DueDatesReminded(user_id=user_id, loans=digest))
    return True


def _remind_loan(session: Session, loan: Loan, now: datetime) -> events.DueLoan:
    loan.notice_step = step_due(loan.due_at, now)
    facts = loans.facts(session, loan)
    if loan.notice_step > DUE_SOON:
        outbox.publish(session, events.LoanOverdue(**facts, step=loan.notice_step - DUE_SOON))
    else:
        outbox.publish(session, events.LoanDueSoon(**facts))
    return events.DueLoan(
        loan_id=loan.id,
        book_title=str(facts["book_title"]),
        due_at=loan.due_at,
        overdue=loan.due_at < now,
    )


def still_open(session: Session, digest: events.DueDatesReminded) -> events.DueDatesReminded:
    """Return a digest without the loans that have been closed since."""
    ids = [loan.loan_id for loan in digest.loans]
    open_ids = set(
        session.execute(
            select(Loan.id).where(
                Loan.id.in_(ids), Loan.returned_at.is_(None), Loan.state == LoanState.ACTIVE
            )
        ).scalars()
    )
    left = [loan for loan in digest.loans if loan.loan_id in open_ids]
    return digest.model_copy(update={"loans": left})
