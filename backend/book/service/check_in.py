"""Receive copies at the desk; lost copies, claims of members, copies found."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.book.schemas.loans import Destination
from backend.book.service.check_out import lock_by_barcode
from backend.shared.domain import audit, refusals, workflow
from backend.shared.domain.circulation import custody, holds, loans
from backend.shared.domain.circulation.custody import CustodyContext
from backend.shared.domain.refusals import Reason
from backend.shared.domain.transitions import Action
from backend.shared.errors import NotFound
from backend.shared.infra import clock, database
from backend.shared.models import (
    CLOSED_STATUSES,
    BookReturn,
    Condition,
    Copy,
    Custody,
    DeliveryTask,
    Hold,
    Loan,
    LoanState,
)

_MISPLACED = frozenset({Condition.MISSING, Condition.LOST})
RETURNED_AT_DESK = "RETURNED_AT_DESK"


@dataclass(frozen=True)
class Received:
    """A copy that is back, the loan that this ended, and the hold that it is kept for."""

    copy: Copy
    loan: Loan | None
    hold: Hold | None

    @property
    def destination(self) -> Destination:
        if self.hold is not None:
            return Destination.HOLD_SHELF
        is_damaged = self.copy.condition is Condition.DAMAGED
        return Destination.REPAIR if is_damaged else Destination.SHELF


def receive(
    session: Session, actor_id: UUID, barcode: str, condition: Condition | None = None
) -> Received:
    """End the open loan of a copy, whoever brings it, and say where the copy goes.

    A copy that is not on loan is shelved, or stays where it is; refused while it is reserved for
    a request or on a robot. Repeating it changes nothing more.
    """
    loan_id = session.execute(
        select(Loan.id)
        .join(Copy, Copy.id == Loan.copy_id)
        .where(Copy.barcode == barcode, Loan.returned_at.is_(None))
    ).scalar_one_or_none()
    loan = close(session, actor_id, loan_id, condition) if loan_id is not None else None
    copy = lock_by_barcode(session, barcode)
    if loan is None:
        _put_back(session, actor_id, copy, condition)
    kept = holds.ready_hold(session, copy.id)
    return Received(copy, loan, kept if copy.custody is Custody.ON_HOLD_SHELF else None)


def close(
    session: Session, actor_id: UUID, loan_id: UUID, condition: Condition | None = None
) -> Loan | None:
    """End a loan at the desk; None if it was closed meanwhile. A robot's pick-up is cancelled."""
    _cancel_pickup(session, actor_id, loan_id)
    loan = database.row_lock_or_none(session, Loan, loan_id)
    if loan is None:
        raise NotFound("Loan not found.")
    if loan.returned_at is not None:
        return None
    context = CustodyContext(str(actor_id))
    _set_condition(session, loan.copy_id, condition or Condition.OK, context, given=condition)
    loans.check_in(session, loan, context)
    _record(session, actor_id, loan, "loan.check_in")
    return loan


def _set_condition(
    session: Session,
    copy_id: UUID,
    condition: Condition,
    context: CustodyContext,
    *,
    given: Condition | None,
) -> None:
    """Set the condition that staff state; a copy that was lost or missing is OK again."""
    copy = database.row_lock(session, Copy, copy_id)
    if given is None and copy.condition not in _MISPLACED:
        return
    before = custody.state_of(copy)
    copy.condition = condition
    custody.record(session, copy, before, context)


def _put_back(session: Session, actor_id: UUID, copy: Copy, condition: Condition | None) -> None:
    """Shelve a copy that is at a desk or was missing; leave one that is where it belongs."""
    reasons = {
        Custody.RESERVED: Reason.COPY_RESERVED,
        Custody.ON_ROBOT: Reason.COPY_ON_ROBOT,
        Custody.ON_LOAN: Reason.COPY_ON_LOAN,  # lent by another desk in this instant
    }
    if copy.condition is Condition.WITHDRAWN:
        refusals.refuse([Reason.COPY_WITHDRAWN])
    if copy.custody in reasons:
        refusals.refuse([reasons[copy.custody]], barcode=copy.barcode)
    context = CustodyContext(str(actor_id))
    if condition is not None and condition is not copy.condition:
        _set_condition(session, copy.id, condition, context, given=condition)
    if copy.custody is not Custody.ON_HOLD_SHELF:
        custody.shelve(session, copy, None, context)
    copy.last_seen_at = clock.now()
    session.flush()


def _cancel_pickup(session: Session, actor_id: UUID, loan_id: UUID) -> None:
    """Cancel the return of a loan that a robot was to fetch; locks the task before the loan."""
    found = session.execute(
        select(DeliveryTask.id)
        .join(BookReturn, BookReturn.id == DeliveryTask.return_id)
        .where(BookReturn.loan_id == loan_id, BookReturn.status.not_in(CLOSED_STATUSES))
    ).scalar_one_or_none()
    if found is None:
        return
    task = database.row_lock(session, DeliveryTask, found)
    if Action.CANCEL in workflow.allowed_actions(task):
        context = workflow.TransitionContext(
            str(actor_id), user_id=actor_id, reason=RETURNED_AT_DESK
        )
        workflow.apply(session, task, Action.CANCEL, context)


def _record(session: Session, actor_id: UUID, loan: Loan, action: str) -> None:
    audit.record(
        session,
        actor_id=actor_id,
        action=action,
        resource=("loan", loan.id),
        changes={"state": loan.state.value, "copy_id": str(loan.copy_id)},
    )


def report_lost(session: Session, actor_id: UUID, loan_id: UUID) -> None:
    """Record that a borrowed copy is lost; the loan stays open."""
    _set_state(session, actor_id, loan_id, LoanState.LOST, Condition.LOST)


def claim_returned(session: Session, actor_id: UUID, loan_id: UUID) -> None:
    """Record that the member says to have returned a copy that the library does not have."""
    _set_state(session, actor_id, loan_id, LoanState.CLAIMED_RETURNED, Condition.MISSING)


def _set_state(
    session: Session, actor_id: UUID, loan_id: UUID, state: LoanState, condition: Condition
) -> None:
    _cancel_pickup(session, actor_id, loan_id)
    loan = database.row_lock(session, Loan, loan_id)
    if loan.state is state:
        return
    if loan.returned_at is not None:
        refusals.refuse([Reason.LOAN_CLOSED])
    loan.state = state
    context = CustodyContext(str(actor_id))
    _set_condition(session, loan.copy_id, condition, context, given=condition)
    _record(session, actor_id, loan, f"loan.{state.value.lower()}")


def mark_found(session: Session, actor_id: UUID, loan_id: UUID) -> None:
    """End the loan of a copy that was lost or claimed returned and has been found."""
    loan = database.row_lock(session, Loan, loan_id)
    if loan.returned_at is not None:
        return
    if loan.state is LoanState.ACTIVE:
        refusals.refuse([Reason.LOAN_NOT_CLAIMED])
    close(session, actor_id, loan_id)
