"""Rules of holds: place, suspend, cancel, expire. `shared.domain.circulation.holds` serves them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.book.schemas.actions import OverrideBody
from backend.book.service.books import BOOK_NOT_FOUND
from backend.shared.domain import audit, refusals
from backend.shared.domain.circulation import custody, loan_policies, loans
from backend.shared.domain.circulation import holds as queue
from backend.shared.domain.circulation.custody import CustodyContext
from backend.shared.domain.refusals import Reason
from backend.shared.errors import NotFound, invalid
from backend.shared.infra import clock, database
from backend.shared.models import (
    CLOSED_STATUSES,
    OPEN_HOLD_STATUSES,
    Book,
    BookRequest,
    Condition,
    Copy,
    Custody,
    Hold,
    HoldStatus,
    Loan,
    User,
)

_BATCH = 200
_EXPIRY = CustodyContext("hold-expiry")
_LENDABLE_LATER = (Condition.OK, Condition.IN_PROCESS, Condition.DAMAGED, Condition.MISSING)


def place(
    session: Session,
    actor_id: UUID,
    user_id: UUID,
    book_id: UUID,
    override: OverrideBody | None = None,
) -> Hold:
    """Join the queue of a title, or raise the error of the first reason with all of them."""
    member = database.row_lock(session, User, user_id)
    book = database.row_lock_or_none(session, Book, book_id)
    if book is None or book.withdrawn_at is not None:
        raise NotFound(BOOK_NOT_FOUND)
    codes = override.codes if override is not None else []
    reasons = placing_reasons(session, member, book_id)
    refusals.refuse(refusals.not_overridden(reasons, codes))
    hold = queue.place(session, user_id, book_id)
    changes: dict[str, object] = {"book_id": str(book_id), "user_id": str(user_id)}
    if override is not None and reasons:
        changes |= {"overridden": [each.value for each in reasons], "note": override.note}
    _record(session, actor_id, "hold.place", hold, changes)
    return hold


def placing_reasons(session: Session, member: User, book_id: UUID) -> list[Reason]:
    """List all reasons why a member cannot join the queue of a title."""
    copies = session.execute(
        select(Copy.custody, Copy.condition).where(Copy.book_id == book_id)
    ).all()
    is_available = (Custody.ON_SHELF, Condition.OK) in {tuple(copy) for copy in copies}
    policy = loan_policies.policy(session, member.role)
    open_holds = list(
        session.execute(
            select(Hold.book_id).where(
                Hold.user_id == member.id, Hold.status.in_(OPEN_HOLD_STATUSES)
            )
        ).scalars()
    )
    checks = {
        Reason.HOLD_EXISTS: book_id in open_holds,
        Reason.COPY_AVAILABLE: is_available,
        Reason.NO_COPIES: all(copy.condition not in _LENDABLE_LATER for copy in copies),
        Reason.ALREADY_BORROWED: _has_borrowed(session, member.id, book_id),
        Reason.ALREADY_REQUESTED: _has_requested(session, member.id, book_id),
        Reason.LIMIT_HOLDS: len(open_holds) >= policy.max_holds,
        Reason.MEMBER_INACTIVE: not member.is_active,
    }
    return [reason for reason, is_true in checks.items() if is_true]


def _has_borrowed(session: Session, user_id: UUID, book_id: UUID) -> bool:
    return session.execute(
        select(
            select(Loan.id)
            .join(Copy, Copy.id == Loan.copy_id)
            .where(Loan.user_id == user_id, Loan.returned_at.is_(None), Copy.book_id == book_id)
            .exists()
        )
    ).scalar_one()


def _has_requested(session: Session, user_id: UUID, book_id: UUID) -> bool:
    return session.execute(
        select(
            select(BookRequest.id)
            .where(
                BookRequest.user_id == user_id,
                BookRequest.book_id == book_id,
                BookRequest.status.not_in(CLOSED_STATUSES),
            )
            .exists()
        )
    ).scalar_one()


def _locked(session: Session, hold: Hold) -> tuple[Hold, Copy | None]:
    """Lock the copy of a hold, its title and the hold itself, in the order of all transactions."""
    copy = database.row_lock(session, Copy, hold.copy_id) if hold.copy_id else None
    database.row_lock(session, Book, hold.book_id)
    locked = database.row_lock(session, Hold, hold.id)
    if locked.copy_id is not None and copy is None:  # a copy came meanwhile
        copy = database.row_lock(session, Copy, locked.copy_id)
    return locked, copy


def suspend(session: Session, actor_id: UUID, hold: Hold, until: datetime | None) -> None:
    """Keep no copy for a hold until a time; None resumes it and serves the queue at once."""
    hold, _ = _locked(session, hold)
    if hold.status is not HoldStatus.QUEUED:
        is_ready = hold.status is HoldStatus.READY
        refusals.refuse([Reason.HOLD_READY if is_ready else Reason.HOLD_CLOSED])
    if until is not None and until <= clock.now():
        raise invalid("until", "must be in the future")
    if until == hold.suspended_until:
        return
    hold.suspended_until = until
    session.flush()
    _record(session, actor_id, "hold.suspend", hold, {"until": until and until.isoformat()})
    if until is None:
        custody.offer_available(session, hold.book_id, CustodyContext(str(actor_id)))


def cancel(session: Session, actor_id: UUID, hold: Hold) -> None:
    """Leave the queue; a copy that was kept goes to the next member."""
    hold, copy = _locked(session, hold)
    if hold.status is HoldStatus.CANCELLED:
        return
    if hold.status not in OPEN_HOLD_STATUSES:
        refusals.refuse([Reason.HOLD_CLOSED])
    is_ready = hold.status is HoldStatus.READY
    if is_ready and copy is not None and copy.custody is not Custody.ON_HOLD_SHELF:
        refusals.refuse([Reason.ON_THE_WAY])
    loans.close_hold(session, hold, HoldStatus.CANCELLED, CustodyContext(str(actor_id)))
    _record(session, actor_id, "hold.cancel", hold, {})


def expire(session: Session) -> int:
    """Close the ready holds that nobody fetched in time; their copies go to the next member."""
    due = session.execute(
        select(Hold.id, Copy)
        .join(Copy, Copy.id == Hold.copy_id)
        .where(
            Hold.status == HoldStatus.READY,
            Hold.ready_until < clock.now(),
            Copy.custody == Custody.ON_HOLD_SHELF,
        )
        .order_by(Copy.id)
        .limit(_BATCH)
        .with_for_update(of=Copy, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for hold_id, copy in due:
        hold = database.row_lock(session, Hold, hold_id)
        is_late = hold.ready_until is not None and hold.ready_until < clock.now()
        if hold.status is HoldStatus.READY and hold.copy_id == copy.id and is_late:
            loans.close_hold(session, hold, HoldStatus.EXPIRED, _EXPIRY)
    return len(due)


def serve(session: Session) -> None:
    """End suspensions whose time has passed, and offer available copies to waiting holds."""
    titles = set(queue.resume_due(session))
    titles |= set(
        session.execute(
            select(Hold.book_id)
            .join(Copy, Copy.book_id == Hold.book_id)
            .where(
                Hold.status == HoldStatus.QUEUED,
                Hold.suspended_until.is_(None),
                Copy.custody == Custody.ON_SHELF,
                Copy.condition == Condition.OK,
            )
            .limit(_BATCH)
        ).scalars()
    )
    for book_id in sorted(titles):
        custody.offer_available(session, book_id)


def _record(
    session: Session, actor_id: UUID, action: str, hold: Hold, changes: dict[str, object]
) -> None:
    audit.record(
        session, actor_id=actor_id, action=action, resource=("hold", hold.id), changes=changes
    )
