"""Rules of delivery tasks: create, confirm loading, complete, cancel, fail, retry, reorder."""

from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.shared.domain import audit, task_effects, workflow
from backend.shared.domain.actor import Actor
from backend.shared.domain.circulation.free_copies import ReservedCopy
from backend.shared.domain.route_graph import GraphWaypoint
from backend.shared.domain.transitions import Action
from backend.shared.domain.workflow import TransitionContext
from backend.shared.errors import Conflict, NotFound, WrongCopy, WrongRobot, invalid
from backend.shared.events import TaskQueued
from backend.shared.infra import database, ids
from backend.shared.models import (
    CLOSED_STATUSES,
    BookRequest,
    Copy,
    DeliveryTask,
    Priority,
    RequestStatus,
    Robot,
    Stage,
    TaskHistory,
    TaskStatus,
    TaskType,
    table,
)

CANCELLED_BY_MEMBER = "CANCELLED_BY_MEMBER"
CANCELLED_BY_STAFF = "CANCELLED_BY_STAFF"
_INSERT_TASK, _INSERT_ENTRY = insert(table(DeliveryTask)), insert(table(TaskHistory))


def create(
    session: Session,
    kind: TaskType,
    copy: Copy | ReservedCopy,
    source: GraphWaypoint,
    destination: GraphWaypoint,
    actor: Actor,
    **references: UUID | None,
) -> DeliveryTask:
    """Create a task and its first history entry; `references` are further columns of the task."""
    task_id = insert_task(session, kind, copy, source, destination, actor, **references)
    return session.get_one(DeliveryTask, task_id)


def insert_task(
    session: Session,
    kind: TaskType,
    copy: Copy | ReservedCopy,
    source: GraphWaypoint,
    destination: GraphWaypoint,
    actor: Actor,
    **references: UUID | None,
) -> UUID:
    """Do as `create`, and return the task's id alone."""
    session.flush()
    task_id = ids.uuid7()
    task = {
        "id": task_id,
        "reference": ids.reference(),
        "task_type": kind,
        "book_id": copy.book_id,
        "copy_id": copy.id,
        "source_location": source.name,
        "source_waypoint_id": source.id,
        "destination_location": destination.name,
        "destination_waypoint_id": destination.id,
        "created_by": actor.id,
    }
    session.execute(_INSERT_TASK, task | references)
    entry = {
        "task_id": task_id,
        "action": "CREATE",
        "to_status": TaskStatus.PENDING,
        "changed_by": str(actor.id),
        "attempt": 1,
    }
    session.execute(_INSERT_ENTRY, entry)
    return task_id


def lock_for(
    session: Session, *, request: UUID | None = None, returned: UUID | None = None
) -> DeliveryTask:
    """Lock the task of a request or return; it is always locked before they are."""
    statement = select(DeliveryTask).with_for_update().execution_options(populate_existing=True)
    if request is not None:
        statement = statement.where(DeliveryTask.request_id == request)
    else:
        statement = statement.where(DeliveryTask.return_id == returned)
    return session.execute(statement).scalar_one()


def cancel_or_bring_back(session: Session, task: DeliveryTask, context: TransitionContext) -> None:
    """Cancel a task before loading; with a book on board, send the robot back with it."""
    if Action.BRING_BACK in workflow.allowed_actions(task):
        workflow.apply(session, task, Action.BRING_BACK, context)
    else:
        workflow.apply(session, task, Action.CANCEL, context)


def lock(session: Session, task_id: UUID) -> DeliveryTask:
    """Return the task, locked; NotFound when there is none."""
    task = database.row_lock_or_none(session, DeliveryTask, task_id)
    if task is None:
        raise NotFound("Delivery not found.")
    return task


def context_of(
    actor: Actor,
    reason: str | None = None,
    book_location: str | None = None,
    *,
    copy_missing: bool = False,
) -> TransitionContext:
    """Name the actor and the reason of a transition."""
    return TransitionContext(
        by=str(actor.id),
        user_id=actor.id,
        reason=reason,
        book_location=book_location,
        copy_missing=copy_missing,
    )


def confirm_loading(
    session: Session,
    task_id: UUID,
    actor: Actor,
    robot_id: UUID | None,
    copy_barcode: str | None,
    attempt: int | None,
) -> DeliveryTask:
    """Record that staff have put the book on the robot, after checking what they name.

    After a reassignment the robot must be named, so that a confirmation meant for one robot
    never starts another.
    """
    task = lock(session, task_id)
    _check_robot(session, task, robot_id, attempt)
    _check_copy(session, task, copy_barcode)
    if task.task_type is TaskType.RETURN_PICKUP:
        raise workflow.invalid_transition(
            task, Action.LOAD.value
        )  # the member confirms it, by picked-up
    if task.status is TaskStatus.IN_PROGRESS:
        return task  # already confirmed
    if task.attempt > 1 and robot_id is None and task.stage is Stage.LOADING:
        raise invalid("robot_id", "is required: this delivery was reassigned to another robot")
    workflow.apply(session, task, Action.LOAD, context_of(actor))
    return task


def _check_robot(
    session: Session, task: DeliveryTask, robot_id: UUID | None, attempt: int | None
) -> None:
    """Raise WrongRobot for another attempt, or another robot than the assigned one."""
    wrong_attempt = attempt is not None and attempt != task.attempt
    wrong_robot = robot_id is not None and task.assigned_robot_id not in {None, robot_id}
    if not wrong_attempt and not wrong_robot:
        return
    rows = session.execute(
        select(Robot.id, Robot.robot_name).where(
            Robot.id.in_(list(filter(None, [robot_id, task.assigned_robot_id])))
        )
    )
    names: dict[UUID, str] = {row.id: row.robot_name for row in rows}
    expected = names.get(task.assigned_robot_id) if task.assigned_robot_id else None
    given = names.get(robot_id) if robot_id else None
    raise WrongRobot(
        expected=expected or "no robot at the moment",
        given=given or str(robot_id or f"that of attempt {attempt}"),
        expected_robot_id=task.assigned_robot_id,
        attempt=task.attempt,
    )


def _check_copy(session: Session, task: DeliveryTask, barcode: str | None) -> None:
    if barcode is None:
        return
    expected = session.execute(select(Copy.barcode).where(Copy.id == task.copy_id)).scalar_one()
    if barcode != expected:
        raise WrongCopy(expected=expected, given=barcode)


def complete(session: Session, task_id: UUID, actor: Actor) -> DeliveryTask:
    """Record that staff have the book of a return, a staff delivery or a cancelled delivery.

    A student delivery in HANDOVER is refused: its receiver completes the request.
    """
    task = lock(session, task_id)
    received_by_staff = task.task_type is not TaskType.STUDENT_DELIVERY
    was_taken_back = task.status is TaskStatus.CANCELLED and task.loaded_at is not None
    if (task.status is TaskStatus.COMPLETED and received_by_staff) or was_taken_back:
        return task
    if task.stage is Stage.BRINGING_BACK:
        workflow.apply(session, task, Action.TAKE_BACK, context_of(actor, task.failure_reason))
    elif received_by_staff:
        workflow.apply(session, task, Action.COMPLETE, context_of(actor))
    else:
        raise workflow.invalid_transition(task, Action.COMPLETE.value)
    return task


def cancel(
    session: Session, task_id: UUID, actor: Actor, reason: str | None, book_location: str | None
) -> DeliveryTask:
    """Cancel a task; a failed one that had been loaded needs `book_location`."""
    task = lock(session, task_id)
    if task.status is TaskStatus.CANCELLED or task.stage is Stage.BRINGING_BACK:
        return task
    context = context_of(actor, reason or CANCELLED_BY_STAFF, book_location)
    cancel_or_bring_back(session, task, context)
    record_audit(session, actor, task, "delivery.cancel", reason)
    return task


def fail(
    session: Session, task_id: UUID, actor: Actor, reason: str, book_location: str | None
) -> DeliveryTask:
    """Fail a task; its request and copy keep their state until it is retried or cancelled."""
    task = lock(session, task_id)
    if task.status is TaskStatus.FAILED:
        return task
    if task.status is TaskStatus.IN_PROGRESS and book_location is None:
        raise invalid("book_location", "is required: the book was on the robot")
    workflow.apply(session, task, Action.FAIL, context_of(actor, reason, book_location))
    record_audit(session, actor, task, "delivery.fail", reason)
    return task


def retry(session: Session, task_id: UUID, actor: Actor) -> DeliveryTask:
    """Put a failed task back into the queue as a new attempt."""
    task = lock(session, task_id)
    if task.status is TaskStatus.QUEUED and task.attempt > 1:
        return task
    if task.request_id is not None:
        request = database.row_lock(session, BookRequest, task.request_id)
        if request.status is RequestStatus.CANCELLED:
            raise Conflict("The member has cancelled this request. Cancel the delivery too.")
    workflow.apply(session, task, Action.RETRY, context_of(actor))
    record_audit(session, actor, task, "delivery.retry", None)
    return task


def set_priority(session: Session, task_id: UUID, actor: Actor, priority: Priority) -> DeliveryTask:
    """Change the priority; a queued task is dispatched again."""
    task = lock(session, task_id)
    if task.priority is priority:
        return task
    if task.status in CLOSED_STATUSES:
        raise workflow.invalid_transition(task, "PRIORITY")
    task.priority = priority
    session.flush()
    record_audit(session, actor, task, "delivery.priority", priority.value)
    if task.status is TaskStatus.QUEUED:
        task_effects.publish_task_event(session, task, TaskQueued, "PRIORITY")
    return task


def record_audit(
    session: Session, actor: Actor, task: DeliveryTask, action: str, reason: str | None
) -> None:
    """Record what staff did to a task."""
    audit.record(
        session,
        actor_id=actor.id,
        action=action,
        resource=("delivery", task.id),
        changes={"reason": reason, "reference": task.reference},
    )
