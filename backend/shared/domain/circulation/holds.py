"""The queue for a title: which hold a free copy is kept for.

`custody` calls `allocate` in the transaction in which a copy becomes free, so an available copy
and a waiting hold never coexist after a commit. Changes of a queue are serialized by the title's
row, which the database also locks when a copy of the title changes.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from backend.shared import events
from backend.shared.domain.circulation import loan_policies, opening_days
from backend.shared.infra import clock, database
from backend.shared.messaging import outbox
from backend.shared.models import OPEN_HOLD_STATUSES, Book, Copy, Hold, HoldStatus, User, table

_BOOK = table(Book).c
_TITLE = select(_BOOK.title).where(_BOOK.id == bindparam("book_id"))


def allocate(session: Session, copy: Copy) -> bool:
    """Keep an available copy for the first waiting hold of its title; False if there is none."""
    hold = session.execute(
        select(Hold)
        .where(
            Hold.book_id == copy.book_id,
            Hold.status == HoldStatus.QUEUED,
            Hold.suspended_until.is_(None),
        )
        .order_by(Hold.sequence)
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if hold is None:
        return False
    ready_until = _ready_until(session, hold, copy)
    hold.status, hold.copy_id = HoldStatus.READY, copy.id
    hold.ready_at, hold.ready_until = clock.now(), ready_until
    session.flush()
    outbox.publish(
        session,
        events.HoldReady(
            hold_id=hold.id,
            user_id=hold.user_id,
            book_id=hold.book_id,
            book_title=title_of(session, hold.book_id),
            copy_id=copy.id,
            ready_until=ready_until,
        ),
    )
    return True


def _ready_until(session: Session, hold: Hold, copy: Copy) -> datetime:
    role = session.execute(select(User.role).where(User.id == hold.user_id)).scalar_one()
    days = loan_policies.policy(session, role, copy.kind).hold_days
    return opening_days.end_of_open_day(session, days)


def ready_hold(session: Session, copy_id: UUID) -> Hold | None:
    """Return the hold that a copy is kept for, locked."""
    return session.execute(
        select(Hold)
        .where(Hold.copy_id == copy_id, Hold.status == HoldStatus.READY)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()


def open_hold(session: Session, user_id: UUID, book_id: UUID) -> Hold | None:
    """Return a member's open hold on a title, locked."""
    return session.execute(
        select(Hold)
        .where(
            Hold.user_id == user_id,
            Hold.book_id == book_id,
            Hold.status.in_(OPEN_HOLD_STATUSES),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()


def keep_again(session: Session, hold: Hold, copy: Copy) -> None:
    """Start the time anew in which a member may fetch a copy that came back undelivered."""
    hold.ready_until = _ready_until(session, hold, copy)
    session.flush()


def requeue(session: Session, hold: Hold) -> None:
    """Put a hold whose copy is gone back in the queue, at its old place."""
    hold.status, hold.copy_id = HoldStatus.QUEUED, None
    hold.ready_at, hold.ready_until = None, None
    session.flush()


def place(session: Session, user_id: UUID, book_id: UUID, *, first: bool = False) -> Hold:
    """Add a hold at the end of the queue of a title, or at its head.

    Returns the open hold if the member has one; `first` moves it to the head.
    """
    database.row_lock(session, Book, book_id)
    lowest, highest = session.execute(
        select(
            func.coalesce(func.min(Hold.sequence), 1), func.coalesce(func.max(Hold.sequence), 0)
        ).where(Hold.book_id == book_id)
    ).one()
    hold = open_hold(session, user_id, book_id)
    if hold is not None:
        if first and hold.status is HoldStatus.QUEUED:
            hold.sequence, hold.suspended_until = lowest - 1, None
            session.flush()
        return hold
    sequence = lowest - 1 if first else highest + 1
    hold = Hold(user_id=user_id, book_id=book_id, sequence=sequence)
    session.add(hold)
    session.flush()
    publish(session, hold, events.HoldPlaced)
    return hold


def close(session: Session, hold: Hold, status: HoldStatus) -> None:
    """End a hold as fulfilled, expired or cancelled."""
    hold.status, hold.closed_at = status, clock.now()
    hold.suspended_until = None
    session.flush()
    if status is HoldStatus.EXPIRED:
        publish(session, hold, events.HoldExpired)
    elif status is HoldStatus.CANCELLED:
        publish(session, hold, events.HoldCancelled)


def waiting(session: Session, book_id: UUID) -> int:
    """Count the holds of a title that wait for a copy and are not suspended."""
    return session.execute(
        select(func.count())
        .select_from(Hold)
        .where(
            Hold.book_id == book_id,
            Hold.status == HoldStatus.QUEUED,
            Hold.suspended_until.is_(None),
        )
    ).scalar_one()


def resume_due(session: Session) -> list[UUID]:
    """End the suspensions whose time has passed; return the titles with a hold resumed."""
    due = session.execute(
        select(Hold)
        .where(Hold.suspended_until <= clock.now())
        .order_by(Hold.id)
        .with_for_update(skip_locked=True)
    ).scalars()
    titles = []
    for hold in due:
        hold.suspended_until = None
        titles.append(hold.book_id)
    session.flush()
    return sorted(set(titles))


def publish(
    session: Session,
    hold: Hold,
    kind: type[events.HoldPlaced | events.HoldExpired | events.HoldCancelled],
) -> None:
    outbox.publish(
        session,
        kind(
            hold_id=hold.id,
            user_id=hold.user_id,
            book_id=hold.book_id,
            book_title=title_of(session, hold.book_id),
        ),
    )


def title_of(session: Session, book_id: UUID) -> str:
    title: str = session.execute(_TITLE, {"book_id": book_id}).scalar_one()
    return title
