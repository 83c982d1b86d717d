"""Effects of a transition on the task's copy, request, return and loan, and the events of them.

Only `workflow.apply` applies effects; reminders and alerts publish task events too.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from backend.shared import events
from backend.shared.domain.circulation import custody, loans
from backend.shared.domain.circulation.custody import CustodyContext, CustodyTransition
from backend.shared.errors import Conflict
from backend.shared.infra import clock, database
from backend.shared.messaging import outbox
from backend.shared.models import (
    CLOSED_STATUSES,
    Book,
    BookRequest,
    BookReturn,
    Copy,
    Custody,
    DeliveryTask,
    LoanChannel,
    RequestStatus,
    ReturnStatus,
    Robot,
    TaskType,
)

_NAMES = (
    select(
        Book.title,
        Robot.robot_name,
        func.coalesce(BookRequest.user_id, BookReturn.user_id).label("user_id"),
    )
    .select_from(DeliveryTask)
    .join(Book, Book.id == DeliveryTask.book_id)
    .outerjoin(Robot, Robot.id == DeliveryTask.assigned_robot_id)
    .outerjoin(BookRequest, BookRequest.id == DeliveryTask.request_id)
    .outerjoin(BookReturn, BookReturn.id == DeliveryTask.return_id)
    .where(DeliveryTask.id == bindparam("task_id"))
)
MISSING = "MISSING"  # the book_location of a book that staff could not find


@dataclass(frozen=True)
class Effect:
    """What a transition changes: the copy, the request, the return (None: unchanged)."""

    custody: CustodyTransition | None = None
    request: RequestStatus | None = None
    returned: ReturnStatus | None = None


def apply_effect(
    session: Session, task: DeliveryTask, effect: Effect, by: str, reason: str | None
) -> None:
    """Change the task's copy, request and return as `effect` says."""
    if effect.request is not None and task.request_id is not None:
        _move_request(session, task, effect.request, reason)
    if effect.returned is not None and task.return_id is not None:
        _move_return(session, task, effect.returned, reason)
    if effect.custody is not None:
        _move_copy(session, task, effect.custody, by)


def _move_copy(session: Session, task: DeliveryTask, step: CustodyTransition, by: str) -> None:
    context = CustodyContext(by, task.id, _place_of(task, step))
    if task.task_type is TaskType.RETURN_PICKUP:
        returned = _return_of(session, task)
        if step is CustodyTransition.COLLECT:
            loans.collect(session, returned.loan_id, context)
        else:
            loans.receive(session, returned.loan_id, context)
    elif step is CustodyTransition.LEND:
        member = _request_of(session, task).user_id
        loans.lend(session, task.copy_id, member, LoanChannel.ROBOT, context)
    else:
        copy = custody.move(session, task.copy_id, step, context)
        if step is CustodyTransition.KEEP_AT_DESK and task.details.get("to_shelf"):
            copy.shelf_location = task.details["to_shelf"]


def _place_of(task: DeliveryTask, step: CustodyTransition) -> UUID | None:
    """Return the waypoint where staff take the book off the robot; None for other steps."""
    if step is CustodyTransition.KEEP_AT_DESK:
        return task.destination_waypoint_id
    return task.back_waypoint_id if step is CustodyTransition.RELEASE else None


def _request_of(session: Session, task: DeliveryTask) -> BookRequest:
    return database.row_lock(session, BookRequest, task.request_id)


def _return_of(session: Session, task: DeliveryTask) -> BookReturn:
    return database.row_lock(session, BookReturn, task.return_id)


def _move_request(
    session: Session, task: DeliveryTask, status: RequestStatus, reason: str | None
) -> None:
    request = _request_of(session, task)
    if request.status is status:
        return
    request.status = status
    if status is RequestStatus.CANCELLED:
        request.cancel_reason = reason
    if status in CLOSED_STATUSES:
        request.completed_at = clock.now()
    session.flush()
    kind: type[events.RequestEvent] | None = {
        RequestStatus.CANCELLED: events.RequestCancelled,
        RequestStatus.COMPLETED: events.RequestCompleted,
    }.get(status)
    if kind is not None:
        publish_request_event(session, kind, request, task, reason)


def _move_return(
    session: Session, task: DeliveryTask, status: ReturnStatus, reason: str | None
) -> None:
    returned = _return_of(session, task)
    if returned.status is status:
        return
    returned.status = status
    now = clock.now()
    if status is ReturnStatus.PICKED_UP:
        returned.picked_up_at = now
    elif status in CLOSED_STATUSES:
        returned.completed_at = now
        returned.cancel_reason = reason if status is ReturnStatus.CANCELLED else None
    session.flush()
    kind: type[events.ReturnEvent] | None = {
        ReturnStatus.PICKED_UP: events.ReturnPickedUp,
        ReturnStatus.COMPLETED: events.ReturnCompleted,
        ReturnStatus.CANCELLED: events.ReturnCancelled,
    }.get(status)
    if kind is not None:
        publish_return_event(session, kind, returned, task, reason)


def effect_of_cancelled_failure(
    session: Session, task: DeliveryTask, by: str, book_location: str | None
) -> Effect:
    """Determine the effect of cancelling a failed task: it depends on where the book is.

    A book that was on the robot requires `book_location`: a place, or MISSING. Conflict otherwise.
    """
    copy = database.row_lock(session, Copy, task.copy_id)
    loaded = copy.custody is Custody.ON_ROBOT
    place = book_location or task.book_location
    if loaded and not place:
        raise Conflict("State where the book is: book_location is required.", field="book_location")
    lost = place == MISSING and copy.custody is not Custody.ON_LOAN
    if lost:
        custody.mark_missing(session, copy.id, CustodyContext(by, task.id))
    if task.task_type is TaskType.RETURN_PICKUP:
        if not loaded:
            return Effect(returned=ReturnStatus.CANCELLED)
        return Effect(None if lost else CustodyTransition.SHELVE, returned=ReturnStatus.COMPLETED)
    kept = None if lost else CustodyTransition.RELEASE
    return Effect(kept, request=RequestStatus.CANCELLED)


def unload_for_retry(session: Session, task: DeliveryTask, by: str) -> None:
    """Move a book that a failed task had on board back to RESERVED for the next attempt."""
    copy = database.row_lock(session, Copy, task.copy_id)
    if copy.custody is not Custody.ON_ROBOT:
        return
    if task.task_type is TaskType.RETURN_PICKUP:
        raise Conflict(
            "The book has already been picked up: cancel the return and state where it is."
        )
    custody.move(session, copy.id, CustodyTransition.UNLOAD, CustodyContext(by, task.id))


def _title(session: Session, book_id: UUID) -> str:
    return session.get_one(Book, book_id).title


def publish_request_event(
    session: Session,
    kind: type[events.RequestEvent],
    request: BookRequest,
    task: DeliveryTask,
    reason: str | None = None,
) -> None:
    outbox.publish(
        session,
        kind(
            request_id=request.id,
            task_id=task.id,
            user_id=request.user_id,
            book_id=request.book_id,
            book_title=_title(session, request.book_id),
            location=request.request_location,
            status=request.status,
            reason=reason,
        ),
    )


def publish_return_event(
    session: Session,
    kind: type[events.ReturnEvent],
    returned: BookReturn,
    task: DeliveryTask,
    reason: str | None = None,
) -> None:
    outbox.publish(
        session,
        kind(
            return_id=returned.id,
            task_id=task.id,
            user_id=returned.user_id,
            book_id=returned.book_id,
            book_title=_title(session, returned.book_id),
            location=returned.pickup_location,
            status=returned.status,
            reason=reason,
        ),
    )


def _names_of(session: Session, task: DeliveryTask) -> Row[str, str, UUID]:
    """Select the book's title, the robot's name and the owner of the request or return."""
    return session.execute(_NAMES, {"task_id": task.id}).one()


def publish_task_event(
    session: Session, task: DeliveryTask, kind: type[events.TaskEvent], reason: str | None = None
) -> None:
    """Publish an event with the task's whole present state."""
    session.flush()
    names = _names_of(session, task)
    outbox.publish(
        session,
        kind(
            task_id=task.id,
            reference=task.reference,
            task_type=task.task_type,
            status=task.status,
            stage=task.stage,
            priority=task.priority,
            attempt=task.attempt,
            request_id=task.request_id,
            return_id=task.return_id,
            user_id=names.user_id,
            book_id=task.book_id,
            book_title=names.title,
            copy_id=task.copy_id,
            robot_id=task.assigned_robot_id,
            robot_name=names.robot_name,
            source=task.source_location,
            destination=task.destination_location,
            eta=task.eta,
            reason=reason,
            claimed_by=task.claimed_by,
        ),
    )
