"""What staff do to a journey: load, complete, cancel, fail, retry, reorder."""

from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.shared.domain import audit, eta, task_effects, workflow
from backend.shared.domain.actor import Actor
from backend.shared.domain.route_graph import Place
from backend.shared.domain.workflow import Action, TransitionContext
from backend.shared.errors import Conflict, NotFound, WrongCopy, WrongRobot, invalid
from backend.shared.events import TaskQueued
from backend.shared.infra import clock, database, ids
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
)


def make_task(
    session: Session,
    kind: TaskType,
    copy: Copy,
    source: Place,
    destination: Place,
    actor: Actor,
    **cause: UUID | None,
) -> DeliveryTask:
    task = DeliveryTask(
        reference=ids.reference(),
        task_type=kind,
        book_id=copy.book_id,
        copy_id=copy.id,
        source_location=source.name,
        source_waypoint_id=source.id,
        destination_location=destination.name,
        destination_waypoint_id=destination.id,
        created_by=actor.id,
        **cause,
    )
    session.add(task)
    session.flush()
    session.execute(
        insert(TaskHistory).values(
            id=ids.uuid7(),
            task_id=task.id,
            action="CREATE",
            to_status=TaskStatus.PENDING,
            changed_by=str(actor.id),
            attempt=task.attempt,
            created_at=clock.now(),
        )
    )
    return task


def lock_for(
    session: Session, *, request: UUID | None = None, returned: UUID | None = None
) -> DeliveryTask:
    """The journey, locked before anything else of it."""
    question = select(DeliveryTask).with_for_update().execution_options(populate_existing=True)
    if request is not None:
        question = question.where(DeliveryTask.request_id == request)
    else:
        question = question.where(DeliveryTask.return_id == returned)
    return session.execute(question).scalar_one()


def cancel_journey(session: Session, task: DeliveryTask, cause: TransitionContext) -> None:
    """End a journey: before loading at once, after it by bringing the book back."""
    if Action.BRING_BACK in workflow.allowed_actions(task):
        task.back_waypoint_id = task.source_waypoint_id
        workflow.apply(session, task, Action.BRING_BACK, cause)
    else:
        workflow.apply(session, task, Action.CANCEL, cause)


def lock(session: Session, task_id: UUID) -> DeliveryTask:
    task: DeliveryTask | None = database.row_lock(session, DeliveryTask, task_id)
    if task is None:
        raise NotFound("There is no such delivery.")
    return task


def _cause(
    actor: Actor, reason: str | None = None, book_location: str | None = None
) -> TransitionContext:
    return TransitionContext(
        by=str(actor.id), user_id=actor.id, reason=reason, book_location=book_location
    )


def book_placed(
    session: Session,
    task_id: UUID,
    actor: Actor,
    robot_id: UUID | None,
    copy_barcode: str | None,
    attempt: int | None,
) -> DeliveryTask:
    """Staff have put the book on the robot. What they name is checked: nothing moves on a guess.

    After a reassignment the robot must be named, so that nobody loads one robot and sends off
    another.
    """
    task = lock(session, task_id)
    _check_robot(session, task, robot_id, attempt)
    _check_copy(session, task, copy_barcode)
    if task.task_type is TaskType.RETURN_PICKUP:
        raise workflow.invalid_transition(task, Action.LOAD.value)  # the member loads, by picked-up
    if task.status is TaskStatus.IN_PROGRESS:
        return task  # confirmed already: this is the same call again
    if task.attempt > 1 and robot_id is None and task.stage is Stage.LOADING:
        raise invalid("robot_id", "name the robot: this delivery has changed robots")
    workflow.apply(session, task, Action.LOAD, _cause(actor))
    _renew_eta(session, task)
    return task


def _check_robot(
    session: Session, task: DeliveryTask, robot_id: UUID | None, attempt: int | None
) -> None:
    stale = attempt is not None and attempt != task.attempt
    other = robot_id is not None and robot_id != task.assigned_robot_id
    if not stale and not (other and task.assigned_robot_id is not None):
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


def _renew_eta(session: Session, task: DeliveryTask) -> None:
    robot = session.get(Robot, task.assigned_robot_id)
    if robot is not None:
        task.eta = eta.estimate(session, task, robot.pose, robot.speed)


def complete(session: Session, task_id: UUID, actor: Actor) -> DeliveryTask:
    """Staff have the book: at the end of a return or staff delivery, or brought back to them.

    A student delivery in HANDOVER is completed by its receiver, not here.
    """
    task = lock(session, task_id)
    done_by_staff = task.task_type is not TaskType.STUDENT_DELIVERY
    taken_back = task.status is TaskStatus.CANCELLED and task.loaded_at is not None
    if (task.status is TaskStatus.COMPLETED and done_by_staff) or taken_back:
        return task
    if task.stage is Stage.BRINGING_BACK:
        workflow.apply(session, task, Action.TAKE_BACK, _cause(actor, task.failure_reason))
    elif done_by_staff:
        workflow.apply(session, task, Action.COMPLETE, _cause(actor))
    else:
        raise workflow.invalid_transition(task, Action.COMPLETE.value)
    return task


def cancel(
    session: Session, task_id: UUID, actor: Actor, reason: str | None, book_location: str | None
) -> DeliveryTask:
    """End a journey; a failed one by saying where the book is, if it had been loaded."""
    task = lock(session, task_id)
    if task.status is TaskStatus.CANCELLED or task.stage is Stage.BRINGING_BACK:
        return task
    cause = _cause(actor, reason or "CANCELLED_BY_STAFF", book_location)
    cancel_journey(session, task, cause)
    _note(session, actor, task, "delivery.cancel", reason)
    return task


def fail(
    session: Session, task_id: UUID, actor: Actor, reason: str, book_location: str | None
) -> DeliveryTask:
    """Give a journey up; its request and copy stay as they are until it is retried or cancelled."""
    task = lock(session, task_id)
    if task.status is TaskStatus.FAILED:
        return task
    loaded = task.status is TaskStatus.IN_PROGRESS
    if loaded and book_location is None:
        raise invalid("book_location", "say where the book is: it was on the robot")
    workflow.apply(session, task, Action.FAIL, _cause(actor, reason, book_location))
    _note(session, actor, task, "delivery.fail", reason)
    return task


def retry(session: Session, task_id: UUID, actor: Actor) -> DeliveryTask:
    """Put a failed journey back into the queue, as a new attempt."""
    task = lock(session, task_id)
    if task.status is TaskStatus.QUEUED and task.attempt > 1:
        return task
    if task.request_id is not None:
        request: BookRequest = database.row_lock(session, BookRequest, task.request_id)
        if request.status is RequestStatus.CANCELLED:
            raise Conflict("The member has cancelled this request: cancel the delivery too.")
    workflow.apply(session, task, Action.RETRY, _cause(actor))
    task.times_not_loaded = 0
    _note(session, actor, task, "delivery.retry", None)
    return task


def set_priority(session: Session, task_id: UUID, actor: Actor, priority: Priority) -> DeliveryTask:
    """Serve it sooner or later; the dispatcher looks again at once."""
    task = lock(session, task_id)
    if task.priority is priority:
        return task
    if task.status in CLOSED_STATUSES:
        raise workflow.invalid_transition(task, "PRIORITY")
    task.priority = priority
    session.flush()
    _note(session, actor, task, "delivery.priority", priority.value)
    if task.status is TaskStatus.QUEUED:
        task_effects.publish_task_event(session, task, TaskQueued, "PRIORITY")
    return task


def _note(
    session: Session, actor: Actor, task: DeliveryTask, action: str, reason: str | None
) -> None:
    audit.record(
        session,
        actor_id=actor.id,
        action=action,
        resource=("delivery", task.id),
        changes={"reason": reason, "reference": task.reference},
    )
