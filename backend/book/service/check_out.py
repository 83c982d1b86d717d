"""Lend a copy at the desk: every reason against it at once, staff's override, a dry run."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.book.schemas.actions import OverrideBody
from backend.shared.domain import audit, refusals
from backend.shared.domain.circulation import custody, holds, loan_policies, loans, opening_days
from backend.shared.domain.circulation.custody import CustodyContext
from backend.shared.domain.refusals import Reason
from backend.shared.errors import NotFound, invalid
from backend.shared.infra import database
from backend.shared.models import (
    CLOSED_STATUSES,
    Book,
    BookRequest,
    Condition,
    Copy,
    CopyKind,
    Custody,
    Hold,
    HoldStatus,
    Loan,
    LoanChannel,
    User,
)

NO_SUCH_BARCODE = "Copy not found: no copy has the barcode {}."
IN_USE = {
    Custody.ON_LOAN: Reason.COPY_ON_LOAN,
    Custody.RESERVED: Reason.COPY_RESERVED,
    Custody.ON_ROBOT: Reason.COPY_ON_ROBOT,
}


@dataclass(frozen=True)
class Examination:
    """A member and a copy, with the reasons against lending one to the other."""

    member: User
    copy: Copy | None
    reasons: list[Reason]


def examine(
    session: Session, user_id: UUID, barcode: str | None, book_id: UUID | None
) -> Examination:
    """Lock the member and the copy, and list all reasons against the loan.

    NotFound for an unknown barcode or title, Invalid for an unknown member. With `book_id` the
    copy is the one that is kept for the member, or any that is available.
    """
    member = database.row_lock_or_none(session, User, user_id)
    if member is None:
        raise invalid("user_id", "is not a member")
    copy = _choose_copy(session, user_id, barcode, book_id)
    if copy is None:
        reasons = [*member_reasons(session, member), Reason.NO_COPY_AVAILABLE]
    else:
        kept = holds.ready_hold(session, copy.id)
        reasons = [*copy_reasons(copy, kept, user_id), *member_reasons(session, member, copy)]
    return Examination(member, copy, reasons)


def _choose_copy(
    session: Session, user_id: UUID, barcode: str | None, book_id: UUID | None
) -> Copy | None:
    if barcode is not None:
        return lock_by_barcode(session, barcode)
    book = session.get(Book, book_id)
    if book is None or book.withdrawn_at is not None:
        raise NotFound("Book not found. It may have been withdrawn.")
    kept = session.execute(
        select(Hold.copy_id)
        .join(Copy, Copy.id == Hold.copy_id)
        .where(
            Hold.user_id == user_id,
            Hold.book_id == book.id,
            Hold.status == HoldStatus.READY,
            Copy.custody == Custody.ON_HOLD_SHELF,
        )
    ).scalar_one_or_none()
    if kept is None:
        return custody.lock_available(session, book.id)
    return database.row_lock(session, Copy, kept)


def lock_by_barcode(session: Session, barcode: str) -> Copy:
    """Return the copy with a barcode, locked; NotFound if there is none."""
    copy = session.execute(
        select(Copy)
        .where(Copy.barcode == barcode)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if copy is None:
        raise NotFound(NO_SUCH_BARCODE.format(barcode))
    return copy


def copy_reasons(copy: Copy, kept: Hold | None, user_id: UUID | None) -> list[Reason]:
    """List the reasons against lending this copy, to this member if one is given."""
    reasons = []
    if copy.custody in IN_USE:
        reasons.append(IN_USE[copy.custody])
    if copy.condition is Condition.WITHDRAWN:
        reasons.append(Reason.COPY_WITHDRAWN)
    elif copy.condition is not Condition.OK:
        reasons.append(Reason.NOT_LOANABLE)
    if copy.custody is Custody.ON_HOLD_SHELF and kept is not None and kept.user_id != user_id:
        reasons.append(Reason.HELD_FOR_OTHER)
    return reasons


def member_reasons(session: Session, member: User, copy: Copy | None = None) -> list[Reason]:
    """List the reasons against lending a copy to a member, whose row is locked."""
    kind = copy.kind if copy is not None else CopyKind.STANDARD
    policy = loan_policies.policy(session, member.role, kind)
    open_loans, overdue = loans.open_loans(session, member.id)
    checks = {
        Reason.MEMBER_INACTIVE: not member.is_active,
        Reason.LIMIT_LOANS: open_loans + open_requests(session, member.id) >= policy.max_loans,
        Reason.LIMIT_OVERDUE: overdue >= policy.max_overdue,
    }
    return [reason for reason, holds_true in checks.items() if holds_true]


def open_requests(session: Session, user_id: UUID) -> int:
    """Count a member's requests that are not closed: each may become a loan."""
    return session.execute(
        select(func.count())
        .select_from(BookRequest)
        .where(BookRequest.user_id == user_id, BookRequest.status.not_in(CLOSED_STATUSES))
    ).scalar_one()


def lend(
    session: Session,
    actor_id: UUID,
    examined: Examination,
    channel: LoanChannel = LoanChannel.DESK,
    override: OverrideBody | None = None,
) -> Loan:
    """Open the loan, or raise the error of the first reason with all of them in `details`."""
    codes = override.codes if override is not None else []
    refusals.refuse(refusals.not_overridden(examined.reasons, codes))
    assert examined.copy is not None  # else NO_COPY_AVAILABLE, which cannot be overridden
    context = CustodyContext(str(actor_id))
    loan = loans.lend(session, examined.copy.id, examined.member.id, channel, context)
    overridden = [each.value for each in examined.reasons]
    changes: dict[str, object] = {"copy_id": str(loan.copy_id), "due_at": loan.due_at.isoformat()}
    if override is not None and overridden:
        changes |= {"overridden": overridden, "note": override.note}
    audit.record(
        session,
        actor_id=actor_id,
        action="loan.check_out",
        resource=("loan", loan.id),
        changes=changes,
    )
    return loan


def check_out(
    session: Session,
    actor_id: UUID,
    user_id: UUID,
    barcode: str | None = None,
    book_id: UUID | None = None,
    channel: LoanChannel = LoanChannel.DESK,
) -> Loan:
    """Lend a copy by barcode, or any free copy of a title."""
    return lend(session, actor_id, examine(session, user_id, barcode, book_id), channel)


def due_date(session: Session, examined: Examination) -> datetime | None:
    """Return when the copy would be due, for a dry run."""
    if examined.copy is None:
        return None
    policy = loan_policies.policy(session, examined.member.role, examined.copy.kind)
    return opening_days.end_of_open_day(session, policy.loan_days)
