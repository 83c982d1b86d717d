"""Custody of copies: the only code that changes where a copy is.

A transition is legal from some custodies only (`TRANSITIONS`). The copy's row is locked, so
concurrent transitions are serialized; unique indexes are the second guard. Each change of custody
or condition is recorded in the copy's history. A copy that becomes available is kept for the first
hold of its title in the same transaction.

`waypoint_id` is the place of a copy that is AT_DESK. A copy that is RESERVED or ON_ROBOT keeps it
as the desk it was taken from, and goes back there when its task is cancelled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import SQLColumnExpression, select
from sqlalchemy.orm import Session

from backend.shared.domain.circulation import copy_history, free_copies, holds
from backend.shared.domain.circulation.copy_history import State
from backend.shared.domain.circulation.free_copies import ReservedCopy
from backend.shared.errors import BookNotAvailable, Conflict, InvalidStateTransition
from backend.shared.infra import cache, clock, commit_hooks, database
from backend.shared.infra.commit_hooks import Signal
from backend.shared.infra.hot_transactions import Call, Transaction
from backend.shared.models import Book, Condition, Copy, Custody


class CustodyTransition(StrEnum):
    RESERVE = "RESERVE"  # for a robot; a copy that is kept for a hold: `reserve_for`
    RELEASE = "RELEASE"  # the reservation ends: back to where the copy was before it
    LOAD = "LOAD"  # put on the robot by a person
    UNLOAD = "UNLOAD"  # taken off after a failure, reserved for the next attempt
    LEND = "LEND"  # handed to the student
    CHECK_OUT = "CHECK_OUT"  # lent at the desk
    CHECK_IN = "CHECK_IN"  # received at the desk from the borrower
    END_HOLD = "END_HOLD"  # no longer kept for a member
    COLLECT = "COLLECT"  # put on the robot by the borrower
    SHELVE = "SHELVE"  # received and shelved by staff
    KEEP_AT_DESK = "KEEP_AT_DESK"  # received by staff at the destination


_C = Custody
TRANSITIONS: dict[CustodyTransition, tuple[frozenset[Custody], Custody]] = {
    CustodyTransition.RESERVE: (frozenset({_C.ON_SHELF, _C.AT_DESK}), _C.RESERVED),
    # or AT_DESK, or ON_HOLD_SHELF
    CustodyTransition.RELEASE: (frozenset({_C.RESERVED, _C.ON_ROBOT}), _C.ON_SHELF),
    CustodyTransition.LOAD: (frozenset({_C.RESERVED}), _C.ON_ROBOT),
    CustodyTransition.UNLOAD: (frozenset({_C.ON_ROBOT}), _C.RESERVED),
    CustodyTransition.LEND: (frozenset({_C.ON_ROBOT}), _C.ON_LOAN),
    CustodyTransition.CHECK_OUT: (
        frozenset({_C.ON_SHELF, _C.AT_DESK, _C.ON_HOLD_SHELF}),
        _C.ON_LOAN,
    ),
    CustodyTransition.CHECK_IN: (frozenset({_C.ON_LOAN}), _C.ON_SHELF),
    CustodyTransition.END_HOLD: (frozenset({_C.ON_HOLD_SHELF}), _C.ON_SHELF),
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
    return _move(session, copy, step, context)


def _move(
    session: Session, copy: Copy | None, step: CustodyTransition, context: CustodyContext
) -> Copy:
    """Apply one transition to a locked copy."""
    origins, end = TRANSITIONS[step]
    if copy is None or copy.custody not in origins:
        where = copy.custody.value if copy is not None else "unknown"
        raise Conflict(
            "The copy is not where this step expects it.", custody=where, requested=step.value
        )
    if step is CustodyTransition.RELEASE:
        end = _released_to(session, copy)
    _place(session, copy, end, context)
    return copy


def _released_to(session: Session, copy: Copy) -> Custody:
    """Return where a copy was before its reservation."""
    hold = holds.ready_hold(session, copy.id)
    if hold is not None:
        holds.keep_again(session, hold, copy)
        return Custody.ON_HOLD_SHELF
    return Custody.ON_SHELF if copy.waypoint_id is None else Custody.AT_DESK


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
    """Write a history entry if custody or condition differ from `before`; invalidate caches.

    Then keep the copy for the first hold, if it has become available.
    """
    _invalidate(session, copy.book_id)
    session.flush()
    if before == state_of(copy):
        return
    copy_history.record(session, copy, before, context.by, context.task_id)
    if copy.condition is not Condition.OK:
        _give_up_hold(session, copy, context)
    else:
        offer(session, copy, context)


def offer(session: Session, copy: Copy, context: CustodyContext = _SYSTEM) -> None:
    """Keep a copy, if it is available, for the first hold of its title."""
    if state_of(copy) == (Custody.ON_SHELF, Condition.OK) and holds.allocate(session, copy):
        before = state_of(copy)
        copy.custody = Custody.ON_HOLD_SHELF
        session.flush()
        copy_history.record(session, copy, before, context.by, context.task_id)


def offer_available(session: Session, book_id: UUID, context: CustodyContext = _SYSTEM) -> None:
    """Keep the available copies of a title for its waiting holds.

    Skips copies that another transaction has locked: it offers them itself, or takes them.
    """
    available = (
        select(Copy)
        .where(
            Copy.book_id == book_id,
            Copy.custody == Custody.ON_SHELF,
            Copy.condition == Condition.OK,
        )
        .order_by(Copy.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if holds.waiting(session, book_id):
        copies = session.execute(available).scalars().all()
        database.row_lock(session, Book, book_id)
        for copy in copies:
            offer(session, copy, context)


def _give_up_hold(session: Session, copy: Copy, context: CustodyContext) -> None:
    """Put the hold of a copy that cannot be lent back in the queue."""
    hold = holds.ready_hold(session, copy.id)
    if hold is None:
        return
    holds.requeue(session, hold)
    if copy.custody is Custody.ON_HOLD_SHELF:
        before = state_of(copy)
        copy.custody = Custody.ON_SHELF
        session.flush()
        copy_history.record(session, copy, before, context.by, context.task_id)
    offer_available(session, copy.book_id, context)


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


def reserve_any(session: Session, book_id: UUID, context: CustodyContext = _SYSTEM) -> ReservedCopy:
    """Reserve one available copy of a title for a robot; BookNotAvailable when there is none."""
    free = free_copies.reserve(session, book_id, context.by, context.task_id)
    if free is None:  # there is none, or all are locked
        copy = lock_available(session, book_id, Copy.robot_transportable)
        if copy is None:
            raise BookNotAvailable(book_id=book_id)
        return ReservedCopy.of(_move(session, copy, CustodyTransition.RESERVE, context))
    _invalidate(session, book_id)
    return free


def reserving(member: UUID, book_id: UUID, by: str) -> Call:
    """Return the statement that reserves any available copy, unless the member has a hold."""
    return free_copies.reserving_without_hold(member, book_id, by)


async def reserve_for(
    transaction: Transaction,
    member: UUID,
    book_id: UUID,
    by: str,
    *,
    found: Sequence[Any],
    has_hold: bool,
) -> ReservedCopy:
    """Reserve the copy that is kept for a member's hold, or any available one.

    `found`: the rows of `reserving`.
    """
    copy = ReservedCopy._make(found[0]) if found else None
    if copy is None:
        copy = await free_copies.reserve_kept_or_free(
            transaction, member, book_id, by, has_hold=has_hold
        )
    transaction.signals += _invalidations(book_id)
    return copy


def lock_available(
    session: Session, book_id: UUID, *conditions: SQLColumnExpression[bool]
) -> Copy | None:
    """Lock one available copy of a title and return it; None when there is none.

    When every free copy is locked by another transaction, wait for its outcome instead of
    skipping: if it fails, this one gets the copy.
    """
    candidates = (
        select(Copy)
        .where(
            Copy.book_id == book_id,
            Copy.custody == Custody.ON_SHELF,
            Copy.condition == Condition.OK,
            *conditions,
        )
        .order_by(Copy.id)
        .execution_options(populate_existing=True)
    )
    free = candidates.with_for_update(skip_locked=True).limit(1)
    copy = session.execute(free).scalar_one_or_none()
    if copy is None:  # all free copies are locked
        copy = session.execute(candidates.with_for_update().limit(1)).scalar_one_or_none()
    return copy


def mark_missing(session: Session, copy_id: UUID, context: CustodyContext) -> None:
    """Mark a copy as missing; it is no longer on a robot and can't be requested."""
    copy = database.row_lock_or_none(session, Copy, copy_id)
    if copy is None:
        raise Conflict("There is no such copy.")
    before = state_of(copy)
    copy.condition, copy.custody, copy.waypoint_id = Condition.MISSING, Custody.ON_SHELF, None
    record(session, copy, before, context)


def _invalidate(session: Session, book_id: UUID) -> None:
    for signal in _invalidations(book_id):
        database.on_commit(session, signal)


def _invalidations(book_id: UUID) -> list[Signal]:
    return [
        commit_hooks.Delete(cache.book_key(book_id)),
        commit_hooks.Increment(cache.CATALOGUE_VERSION),
    ]
