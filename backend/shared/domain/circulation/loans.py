"""Loans: opened when a member has a copy, ended when the library has it again."""

from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from backend.shared import events
from backend.shared.domain.circulation import custody, holds, loan_policies, opening_days
from backend.shared.domain.circulation.custody import CustodyContext, CustodyTransition
from backend.shared.errors import Conflict
from backend.shared.infra import clock, database
from backend.shared.messaging import outbox
from backend.shared.models import (
    Copy,
    Custody,
    Hold,
    HoldStatus,
    Loan,
    LoanChannel,
    LoanState,
    User,
    table,
)

_SYSTEM = CustodyContext()
_LOAN, _USER, _COPY = table(Loan).c, table(User).c, table(Copy).c
_OPEN_LOANS = select(func.count(), func.count().filter(_LOAN.due_at < bindparam("now"))).where(
    _LOAN.user_id == bindparam("user_id"), _LOAN.returned_at.is_(None)
)
_BOOK_ID = select(_COPY.book_id).where(_COPY.id == bindparam("copy_id"))


def lend(
    session: Session,
    copy_id: UUID,
    user_id: UUID,
    channel: LoanChannel,
    context: CustodyContext = _SYSTEM,
) -> Loan:
    """Move the copy into the member's custody and open the loan.

    A hold of the member on the title is fulfilled; one of another member whose copy is taken from
    the hold shelf goes back in the queue.
    """
    step = CustodyTransition.LEND if channel is LoanChannel.ROBOT else CustodyTransition.CHECK_OUT
    copy = custody.move(session, copy_id, step, context)
    member = session.get_one(User, user_id)
    policy = loan_policies.policy(session, member.role, copy.kind)
    loan = Loan(
        copy_id=copy.id,
        user_id=user_id,
        borrowed_at=clock.now(),
        due_at=opening_days.end_of_open_day(session, policy.loan_days),
        channel=channel,
        policy=policy.snapshot(),
    )
    session.add(loan)
    session.flush()
    publish(session, loan, events.LoanOpened)
    _close_or_requeue_holds(session, copy, user_id, context)
    return loan


def _close_or_requeue_holds(
    session: Session, copy: Copy, user_id: UUID, context: CustodyContext
) -> None:
    kept = holds.ready_hold(session, copy.id)
    if kept is not None and kept.user_id != user_id:
        holds.requeue(session, kept)
        custody.offer_available(session, copy.book_id, context)
    own = holds.open_hold(session, user_id, copy.book_id)
    if own is not None:
        close_hold(session, own, HoldStatus.FULFILLED, context)


def close_hold(
    session: Session, hold: Hold, status: HoldStatus, context: CustodyContext = _SYSTEM
) -> None:
    """End a hold; its copy goes to the next in the queue if it is still on the hold shelf."""
    copy_id = hold.copy_id
    holds.close(session, hold, status)
    copy = database.row_lock(session, Copy, copy_id) if copy_id is not None else None
    if copy is not None and copy.custody is Custody.ON_HOLD_SHELF:
        custody.move(session, copy.id, CustodyTransition.END_HOLD, context)


def collect(session: Session, loan_id: UUID, context: CustodyContext = _SYSTEM) -> Loan:
    """Move a borrowed copy onto the robot; the loan ends for the member."""
    loan = database.row_lock_or_none(session, Loan, loan_id)
    if loan is None or loan.returned_at is not None:
        raise Conflict("This loan is already closed.")
    custody.move(session, loan.copy_id, CustodyTransition.COLLECT, context)
    loan.returned_at = clock.now()
    loan.state = LoanState.RETURNED
    session.flush()
    return loan


def receive(session: Session, loan_id: UUID, context: CustodyContext = _SYSTEM) -> None:
    """Shelve a returned copy and mark its loan processed."""
    loan = database.row_lock_or_none(session, Loan, loan_id)
    if loan is None:
        raise Conflict("There is no loan for this return.")
    custody.move(session, loan.copy_id, CustodyTransition.SHELVE, context)
    loan.processed_at = clock.now()
    session.flush()
    publish(session, loan, events.LoanClosed)


def check_in(session: Session, loan: Loan, context: CustodyContext = _SYSTEM) -> Copy:
    """End a locked, open loan at the desk and put its copy on the shelf or the hold shelf."""
    now = clock.now()
    loan.returned_at, loan.processed_at, loan.state = now, now, LoanState.RETURNED
    session.flush()
    copy = custody.move(session, loan.copy_id, CustodyTransition.CHECK_IN, context)
    publish(session, loan, events.LoanClosed)
    return copy


def open_loans(session: Session, user_id: UUID) -> tuple[int, int]:
    """Count a member's open loans, and those that are overdue."""
    values = {"user_id": user_id, "now": clock.now()}
    open_count, overdue = session.execute(_OPEN_LOANS, values).one()
    return open_count, overdue


def publish(
    session: Session,
    loan: Loan,
    kind: type[events.LoanOpened | events.LoanRenewed | events.LoanDueSoon | events.LoanClosed],
) -> None:
    """Publish an event of a loan."""
    outbox.publish(session, kind(**facts(session, loan)))


def facts(session: Session, loan: Loan) -> dict[str, object]:
    """Return what every event of a loan tells."""
    book_id = session.execute(_BOOK_ID, {"copy_id": loan.copy_id}).scalar_one()
    return {
        "loan_id": loan.id,
        "user_id": loan.user_id,
        "book_id": book_id,
        "copy_id": loan.copy_id,
        "book_title": holds.title_of(session, book_id),
        "due_at": loan.due_at,
    }
