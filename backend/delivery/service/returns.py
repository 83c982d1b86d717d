"""Having a book fetched: the rules of returns."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.delivery.service import tasks
from backend.delivery.service.on_behalf_of import member_for
from backend.shared import events
from backend.shared.domain import route_graph, task_effects, workflow
from backend.shared.domain.actor import Actor
from backend.shared.domain.workflow import Action, TransitionContext
from backend.shared.errors import AlreadyReturning, NotBorrowed
from backend.shared.infra import database
from backend.shared.models import CLOSED_STATUSES, BookReturn, Copy, Loan, ReturnStatus, TaskType


def create(
    session: Session, actor: Actor, book_id: UUID, location: str, user_id: UUID | None
) -> BookReturn:
    """Have a borrowed book fetched: only by the member who has it."""
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
    task = tasks.make_task(
        session,
        TaskType.RETURN_PICKUP,
        copy,
        place,
        places.return_station(),
        actor,
        return_id=returned.id,
    )
    task_effects.publish_return_event(session, events.ReturnInitiated, returned, task)
    return returned


def _loan_to_return(session: Session, member: UUID, book_id: UUID) -> tuple[Loan, Copy]:
    open_loans = session.execute(
        select(Loan, Copy)
        .join(Copy, Copy.id == Loan.copy_id)
        .where(Loan.user_id == member, Loan.returned_at.is_(None), Copy.book_id == book_id)
        .order_by(Loan.borrowed_at)
        .with_for_update(of=Loan)
    ).all()
    if not open_loans:
        raise NotBorrowed(book_id=book_id)
    travelling = set(
        session.execute(
            select(BookReturn.loan_id).where(
                BookReturn.loan_id.in_([loan.id for loan, _ in open_loans]),
                BookReturn.status.notin_(CLOSED_STATUSES),
            )
        ).scalars()
    )
    for loan, copy in open_loans:
        if loan.id not in travelling:
            return loan, copy
    raise AlreadyReturning(book_id=book_id)


def picked_up(session: Session, return_id: UUID, actor: Actor) -> None:
    """“The robot has the book”: only once the robot is there."""
    task = tasks.lock_for(session, returned=return_id)
    returned: BookReturn = database.row_lock(session, BookReturn, return_id)
    if returned.status in {ReturnStatus.PICKED_UP, ReturnStatus.COMPLETED}:
        return
    workflow.apply(
        session, task, Action.LOAD, TransitionContext(by=str(actor.id), user_id=actor.id)
    )


def cancel(session: Session, return_id: UUID, actor: Actor, reason: str | None) -> None:
    """Call a pick-up off, before the robot has the book."""
    task = tasks.lock_for(session, returned=return_id)
    returned: BookReturn = database.row_lock(session, BookReturn, return_id)
    if returned.status is ReturnStatus.CANCELLED:
        return
    if returned.status in {ReturnStatus.PICKED_UP, ReturnStatus.COMPLETED}:
        raise workflow.invalid_transition(task, Action.CANCEL.value)
    why = reason or "CANCELLED_BY_MEMBER"
    workflow.apply(
        session,
        task,
        Action.CANCEL,
        TransitionContext(by=str(actor.id), user_id=actor.id, reason=why),
    )
