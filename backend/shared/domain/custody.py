"""Custody of copies: the only code that changes a copy's custody and opens or closes its loan.

A transition is legal from some custodies only (`TRANSITIONS`). The copy's row is locked, so
concurrent transitions are serialized; unique indexes are the second guard.
"""

from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.shared.errors import BookNotAvailable, Conflict, LoanLimitReached
from backend.shared.events import LoanClosed, LoanOpened
from backend.shared.infra import cache, clock, commit_hooks, config, database
from backend.shared.messaging import outbox
from backend.shared.models import (
    Book,
    Condition,
    Copy,
    Custody,
    Loan,
    LoanChannel,
    LoanState,
    User,
)


class CustodyTransition(StrEnum):
    RESERVE = "RESERVE"  # for a request
    RELEASE = "RELEASE"  # the reservation ends
    LOAD = "LOAD"  # put on the robot by a person
    UNLOAD = "UNLOAD"  # taken off after a failure, reserved for the next attempt
    LEND = "LEND"  # handed to the student
    COLLECT = "COLLECT"  # put on the robot by the borrower
    SHELVE = "SHELVE"  # received and shelved by staff
    KEEP_AT_DESK = "KEEP_AT_DESK"  # handed to a colleague


TRANSITIONS: dict[CustodyTransition, tuple[frozenset[Custody], Custody]] = {
    CustodyTransition.RESERVE: (frozenset({Custody.ON_SHELF, Custody.AT_DESK}), Custody.RESERVED),
    CustodyTransition.RELEASE: (frozenset({Custody.RESERVED}), Custody.ON_SHELF),
    CustodyTransition.LOAD: (frozenset({Custody.RESERVED}), Custody.ON_ROBOT),
    CustodyTransition.UNLOAD: (frozenset({Custody.ON_ROBOT}), Custody.RESERVED),
    CustodyTransition.LEND: (frozenset({Custody.ON_ROBOT}), Custody.ON_LOAN),
    CustodyTransition.COLLECT: (frozenset({Custody.ON_LOAN}), Custody.ON_ROBOT),
    CustodyTransition.SHELVE: (frozenset({Custody.ON_ROBOT, Custody.AT_DESK}), Custody.ON_SHELF),
    CustodyTransition.KEEP_AT_DESK: (frozenset({Custody.ON_ROBOT}), Custody.AT_DESK),
}


def move(session: Session, copy_id: UUID, step: CustodyTransition) -> Copy:
    """Apply one transition; Conflict when it is not legal from the copy's custody."""
    copy = database.row_lock_or_none(session, Copy, copy_id)
    origins, end = TRANSITIONS[step]
    if copy is None or copy.custody not in origins:
        where = copy.custody.value if copy is not None else "unknown"
        raise Conflict(
            "The copy is not where this step expects it.", custody=where, requested=step.value
        )
    copy.custody = end
    copy.last_seen_at = clock.now()
    _invalidate(session, copy.book_id)
    session.flush()
    return copy


def reserve_any(session: Session, book_id: UUID) -> Copy:
    """Reserve one available copy of a title; BookNotAvailable when there is none.

    When every free copy is locked by another transaction, wait for its outcome instead of
    skipping: if it fails, this one gets the copy.
    """
    candidates = (
        select(Copy.id)
        .where(
            Copy.book_id == book_id,
            Copy.custody == Custody.ON_SHELF,
            Copy.condition == Condition.OK,
            Copy.robot_transportable,
        )
        .order_by(Copy.id)
    )
    free = candidates.with_for_update(skip_locked=True).limit(1)
    copy_id = session.execute(free).scalar_one_or_none()
    if copy_id is None:  # all free copies are locked
        copy_id = session.execute(candidates.with_for_update().limit(1)).scalar_one_or_none()
    if copy_id is None:
        raise BookNotAvailable(book_id=book_id)
    return move(session, copy_id, CustodyTransition.RESERVE)


def lend(session: Session, copy_id: UUID, user_id: UUID, channel: LoanChannel) -> Loan:
    """Move the copy into the member's custody and open the loan."""
    copy = move(session, copy_id, CustodyTransition.LEND)
    settings = config.loans()
    loan = Loan(
        copy_id=copy.id,
        user_id=user_id,
        borrowed_at=clock.now(),
        due_at=_due(settings.loan_days),
        channel=channel,
        policy={"loan_days": settings.loan_days},
    )
    session.add(loan)
    session.flush()
    _publish_loan_event(session, LoanOpened, loan)
    return loan


def collect(session: Session, loan_id: UUID) -> Loan:
    """Move a borrowed copy onto the robot; the loan ends for the member."""
    loan = database.row_lock_or_none(session, Loan, loan_id)
    if loan is None or loan.returned_at is not None:
        raise Conflict("This loan is already closed.")
    move(session, loan.copy_id, CustodyTransition.COLLECT)
    loan.returned_at = clock.now()
    loan.state = LoanState.RETURNED
    session.flush()
    return loan


def receive(session: Session, loan_id: UUID) -> None:
    """Shelve a returned copy and mark its loan processed."""
    loan = database.row_lock_or_none(session, Loan, loan_id)
    if loan is None:
        raise Conflict("There is no loan for this return.")
    move(session, loan.copy_id, CustodyTransition.SHELVE)
    loan.processed_at = clock.now()
    session.flush()
    _publish_loan_event(session, LoanClosed, loan)


def mark_missing(session: Session, copy_id: UUID) -> None:
    """Mark a copy as missing; it is no longer on a robot and can't be requested."""
    copy = database.row_lock_or_none(session, Copy, copy_id)
    if copy is None:
        raise Conflict("There is no such copy.")
    copy.condition = Condition.MISSING
    copy.custody = Custody.ON_SHELF
    _invalidate(session, copy.book_id)
    session.flush()


def check_loan_limit(session: Session, user_id: UUID, open_requests: int) -> None:
    """Raise LoanLimitReached when open loans and `open_requests` reach the member's limit.

    Locks the member's row, so that concurrent requests are counted one after the other.
    """
    database.row_lock(session, User, user_id)
    open_loans = len(
        session.execute(
            select(Loan.id).where(Loan.user_id == user_id, Loan.returned_at.is_(None))
        ).all()
    )
    limit = config.loans().loans_per_member
    if open_loans + open_requests >= limit:
        raise LoanLimitReached(limit=limit)


def _due(days: int) -> datetime:
    """Return the end of the day `days` from now, moved to an open day (not a Sunday)."""
    day = (clock.now() + timedelta(days=days)).date()
    while day.weekday() == 6:  # noqa: PLR2004 (Sunday)
        day += timedelta(days=1)
    return datetime.combine(day, time(23, 59, 59), tzinfo=UTC)


def _publish_loan_event(session: Session, kind: type[LoanOpened | LoanClosed], loan: Loan) -> None:
    book = session.execute(
        select(Book.id, Book.title)
        .join(Copy, Copy.book_id == Book.id)
        .where(Copy.id == loan.copy_id)
    ).one()
    outbox.publish(
        session,
        kind(
            loan_id=loan.id,
            user_id=loan.user_id,
            book_id=book.id,
            copy_id=loan.copy_id,
            book_title=book.title,
            due_at=loan.due_at,
        ),
    )


def _invalidate(session: Session, book_id: UUID) -> None:
    database.on_commit(session, commit_hooks.Delete(cache.book_key(book_id)))
    database.on_commit(session, commit_hooks.Increment(cache.CATALOGUE_VERSION))
