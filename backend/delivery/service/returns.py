"""Rules of returns: a robot fetches a borrowed book from its member."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.delivery.service import tasks
from backend.shared import events
from backend.shared.domain import route_graph, task_effects, workflow
from backend.shared.domain.access import member_for
from backend.shared.domain.actor import Actor
from backend.shared.domain.transitions import Action
from backend.shared.errors import AlreadyReturning, NotBorrowed
from backend.shared.infra import database
from backend.shared.models import CLOSED_STATUSES, BookReturn, Copy, Loan, ReturnStatus, TaskType


def create(
    session: Session, actor: Actor, book_id: UUID, location: str, user_id: UUID | None
) -> BookReturn:
    """Create the return of a book that the member has on loan, with its task."""
    member = member_for(session, actor, user_id)
    places = route_graph.current(session)
    place = places.find(location)
    loan, copy = _loan_to_return(session, member, book_id)
    returned = BookReturn(
        user_id=member,
        book_id=book_id,
        loan_id=loan.id,
        pickup_location=place.name,
        waypoint_id=place.id,
    )
    session.add(returned)
    session.flush()
    station = places.return_station()
    task = tasks.create(
        session, TaskType.RETURN_PICKUP, copy, place, station, actor, return_id=returned.id
    )
    task_effects.publish_return_event(session, events.ReturnInitiated, returned, task)
    return returned


def _loan_to_return(session: Session, member: UUID, book_id: UUID) -> tuple[Loan, Copy]:
    """Choose the oldest open loan of the title that has no open return."""
    open_loans = session.execute(
        select(Loan, Copy)
        .join(Copy, Copy.id == Loan.copy_id)
        .where(Loan.user_id == member, Loan.returned_at.is_(None), Copy.book_id == book_id)
        .order_by(Loan.borrowed_at)
        .with_for_update(of=Loan)
    ).all()
    if not open_loans:
        raise NotBorrowed(book_id=book_id)
    returning = set(
        session.execute(
            select(BookReturn.loan_id).where(
                BookReturn.loan_id.in_([loan.id for loan, _ in open_loans]),
                BookReturn.status.notin_(CLOSED_STATUSES),
            )
        ).scalars()
    )
    for loan, copy in open_loans:
        if loan.id not in returning:
            return loan, copy
    raise AlreadyReturning(book_id=book_id)


def confirm_pickup(session: Session, return_id: UUID, actor: Actor) -> None:
    """Record that the member has put the book on the robot; the robot must be there."""
    task = tasks.lock_for(session, returned=return_id)
    returned = database.row_lock(session, BookReturn, return_id)
    if returned.status not in {ReturnStatus.PICKED_UP, ReturnStatus.COMPLETED}:
        workflow.apply(session, task, Action.LOAD, tasks.context_of(actor))


def cancel(session: Session, return_id: UUID, actor: Actor, reason: str | None) -> None:
    """Cancel a return before the robot has the book."""
    task = tasks.lock_for(session, returned=return_id)
    returned = database.row_lock(session, BookReturn, return_id)
    if returned.status is ReturnStatus.CANCELLED:
        return
    if returned.status in {ReturnStatus.PICKED_UP, ReturnStatus.COMPLETED}:
        raise workflow.invalid_transition(task, Action.CANCEL.value)
    context = tasks.context_of(actor, reason or tasks.CANCELLED_BY_MEMBER)
    workflow.apply(session, task, Action.CANCEL, context)
