"""Custody of copies: the only code that changes a copy's custody and opens or closes its loan.

A transition is legal from some custodies only (`TRANSITIONS`). The copy's row is locked, so
concurrent transitions are serialized; unique indexes are the second guard. Each change of custody
or condition is recorded in the copy's history.

`waypoint_id` is the place of a copy that is AT_DESK. A copy that is RESERVED or ON_ROBOT keeps it
as the desk it was taken from, and goes back there when its task is cancelled.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.shared.errors import (
    BookNotAvailable,
    Conflict,
    InvalidStateTransition,
    LoanLimitReached,
)
from backend.shared.events import LoanClosed, LoanOpened
from backend.shared.infra import cache, clock, commit_hooks, config, database, ids
from backend.shared.messaging import outbox
from backend.shared.models import (
    Book,
    Condition,
    Copy,
    CopyHistory,
    Custody,
    Loan,
    LoanChannel,
    LoanState,
    User,
    Waypoint,
)

State = tuple[Custody, Condition]


class CustodyTransition(StrEnum):
    RESERVE = "RESERVE"  # for a request
    RELEASE = "RELEASE"  # the reservation ends: back to where the copy was before it
    LOAD = "LOAD"  # put on the robot by a person
    UNLOAD = "UNLOAD"  # taken off after a failure, reserved for the next attempt
    LEND = "LEND"  # handed to the student
    COLLECT = "COLLECT"  # put on the robot by the borrower
    SHELVE = "SHELVE"  # received and shelved by staff
    KEEP_AT_DESK = "KEEP_AT_DESK"  # received by staff at the destination


_C = Custody
TRANSITIONS: dict[CustodyTransition, tuple[frozenset[Custody], Custody]] = {
    CustodyTransition.RESERVE: (frozenset({_C.ON_SHELF, _C.AT_DESK}), _C.RESERVED),
    CustodyTransition.RELEASE: (frozenset({_C.RESERVED, _C.ON_ROBOT}), _C.ON_SHELF),  # or AT_DESK
    CustodyTransition.LOAD: (frozenset({_C.RESERVED}), _C.ON_ROBOT),
    CustodyTransition.UNLOAD: (frozenset({_C.ON_ROBOT}), _C.RESERVED),
    CustodyTransition.LEND: (frozenset({_C.ON_ROBOT}), _C.ON_LOAN),
    CustodyTransition.COLLECT: (frozenset({_C.ON_LOAN}), _C.ON_ROBOT),
    CustodyTransition.SHELVE: (frozenset({_C.ON_ROBOT, _C.AT_DESK}), _C.ON_SHELF),
    CustodyTransition.KEEP_AT_DESK: (frozenset({_C.ON_ROBOT}), _C.AT_DESK),
}
_IN_TRANSIT = frozenset({Custody.RESERVED, Custody.ON_ROBOT})
_SHELVABLE = frozenset({Condition.MISSING, Condition.LOST})  # set back to OK when found


@dataclass(frozen=True)
class CustodyContext:
    """Who moves a copy, for which task, and to which place."""

    by: str = "system"  # a user's id, or the component that acts
    task_id: UUID | None = None
    waypoint_id: UUID | None = None  # of KEEP_AT_DESK and RELEASE


_SYSTEM = CustodyContext()


def move(
    session: Session,
    copy_id: UUID,
    step: CustodyTransition,
    context: CustodyContext = _SYSTEM,
) -> Copy:
    """Apply one transition; Conflict when it is not legal from the copy's custody."""
    copy = database.row_lock_or_none(session, Copy, copy_id)
    origins, end = TRANSITIONS[step]
    if copy is None or copy.custody not in origins:
        where = copy.custody.value if copy is not None else "unknown"
        raise Conflict(
            "The copy is not where this step expects it.", custody=where, requested=step.value
        )
    if step is CustodyTransition.RELEASE and copy.waypoint_id is not None:
        end = Custody.AT_DESK
    _place(session, copy, end, context)
    return copy


def _place(session: Session, copy: Copy, custody: Custody, context: CustodyContext) -> None:
    """Set custody and place, and record the change."""
    before = state_of(copy)
    copy.custody = custody
    if custody is Custody.AT_DESK:
        copy.waypoint_id = context.waypoint_id or copy.waypoint_id
    elif custody not in _IN_TRANSIT:
        copy.waypoint_id = None
    copy.last_seen_at = clock.now()
    record(session, copy, before, context)


def state_of(copy: Copy) -> State:
    return copy.custody, copy.condition


def record(session: Session, copy: Copy, before: State, context: CustodyContext) -> None:
    """Write a history entry if custody or condition differ from `before`; invalidate caches."""
    _invalidate(session, copy.book_id)
    session.flush()
    if before == state_of(copy):
        return
    waypoint = session.get(Waypoint, copy.waypoint_id) if copy.waypoint_id else None
    shelf = copy.shelf_location if copy.custody is Custody.ON_SHELF else None
    session.execute(
        insert(CopyHistory).values(
            id=ids.uuid7(),
            copy_id=copy.id,
            from_custody=before[0],
            to_custody=copy.custody,
            from_condition=before[1],
            to_condition=copy.condition,
            place=waypoint.name if waypoint is not None else shelf,
            task_id=context.task_id,
            changed_by=context.by,
            created_at=clock.now(),
        )
    )


def shelve(session: Session, copy: Copy, shelf: str | None, context: CustodyContext) -> bool:
    """Put a locked copy that is AT_DESK, missing or lost on a shelf; False if it is there already.

    InvalidStateTransition while it is reserved, on a robot, on loan or withdrawn.
    """
    found = copy.custody is Custody.ON_SHELF and copy.condition in _SHELVABLE
    is_there = copy.custody is Custody.ON_SHELF and shelf in {None, copy.shelf_location}
    if copy.condition is Condition.WITHDRAWN:
        raise InvalidStateTransition(
            current=Condition.WITHDRAWN.value, requested="SHELVE", allowed=[]
        )
    if is_there and not found:
        return False
    if copy.custody not in {Custody.AT_DESK, Custody.ON_SHELF}:
        raise InvalidStateTransition(current=copy.custody.value, requested="SHELVE", allowed=[])
    before = state_of(copy)
    copy.shelf_location = shelf or copy.shelf_location
    copy.condition = Condition.OK if copy.condition in _SHELVABLE else copy.condition
    copy.custody, copy.waypoint_id, copy.last_seen_at = Custody.ON_SHELF, None, clock.now()
    record(session, copy, before, context)
    return True


def reserve_any(session: Session, book_id: UUID, context: CustodyContext = _SYSTEM) -> Copy:
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
    return move(session, copy_id, CustodyTransition.RESERVE, context)


def lend(
    session: Session,
    copy_id: UUID,
    user_id: UUID,
    channel: LoanChannel,
    context: CustodyContext = _SYSTEM,
) -> Loan:
    """Move the copy into the member's custody and open the loan."""
    copy = move(session, copy_id, CustodyTransition.LEND, context)
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


def collect(session: Session, loan_id: UUID, context: CustodyContext = _SYSTEM) -> Loan:
    """Move a borrowed copy onto the robot; the loan ends for the member."""
    loan = database.row_lock_or_none(session, Loan, loan_id)
    if loan is None or loan.returned_at is not None:
        raise Conflict("This loan is already closed.")
    move(session, loan.copy_id, CustodyTransition.COLLECT, context)
    loan.returned_at = clock.now()
    loan.state = LoanState.RETURNED
    session.flush()
    return loan


def receive(session: Session, loan_id: UUID, context: CustodyContext = _SYSTEM) -> None:
    """Shelve a returned copy and mark its loan processed."""
    loan = database.row_lock_or_none(session, Loan, loan_id)
    if loan is None:
        raise Conflict("There is no loan for this return.")
    move(session, loan.copy_id, CustodyTransition.SHELVE, context)
    loan.processed_at = clock.now()
    session.flush()
    _publish_loan_event(session, LoanClosed, loan)


def mark_missing(session: Session, copy_id: UUID, context: CustodyContext) -> None:
    """Mark a copy as missing; it is no longer on a robot and can't be requested."""
    copy = database.row_lock_or_none(session, Copy, copy_id)
    if copy is None:
        raise Conflict("There is no such copy.")
    before = state_of(copy)
    copy.condition, copy.custody, copy.waypoint_id = Condition.MISSING, Custody.ON_SHELF, None
    record(session, copy, before, context)


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
