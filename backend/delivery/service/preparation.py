"""The work of staff before loading: claim a task, take it off its robot, miss its copy."""

from uuid import UUID

from sqlalchemy.orm import Session

from backend.delivery.service import alerts, tasks
from backend.delivery.service.actions import BEFORE_LOADING
from backend.shared.domain import audit, task_effects, workflow
from backend.shared.domain.access import Access
from backend.shared.domain.actor import Actor
from backend.shared.domain.circulation import custody, holds
from backend.shared.domain.circulation.custody import CustodyContext
from backend.shared.domain.transitions import Action
from backend.shared.errors import BookNotAvailable
from backend.shared.events import TaskClaimed, TaskCopyChanged
from backend.shared.infra import clock, database
from backend.shared.models import (
    BookRequest,
    DeliveryTask,
    Stage,
    TaskStatus,
    TaskType,
)

COPY_NOT_FOUND = "COPY_NOT_FOUND"
REASSIGNED = "REASSIGNED"


def claim(session: Session, task_id: UUID, actor: Actor) -> DeliveryTask:
    """Take the work of preparing a task; AlreadyClaimed, with the name, when another has it."""
    task = tasks.lock(session, task_id)
    if task.claimed_by == actor.id:
        return task
    _ensure_before_loading(task, "CLAIM")
    alerts.ensure_not_claimed(session, task.claimed_by, actor)
    task.claimed_by, task.claimed_at = actor.id, clock.now()
    task_effects.publish_task_event(session, task, TaskClaimed)
    return task


def release(session: Session, task_id: UUID, actor: Actor) -> DeliveryTask:
    """Give the work back; another's claim is released by an administrator only."""
    task = tasks.lock(session, task_id)
    if task.claimed_by is None:
        return task
    alerts.ensure_not_claimed(session, task.claimed_by, actor, Access.CHANGE)
    task.claimed_by = task.claimed_at = None
    task_effects.publish_task_event(session, task, TaskClaimed, "RELEASED")
    return task


def reassign(session: Session, task_id: UUID, actor: Actor, reason: str | None) -> DeliveryTask:
    """Take a task off its robot before loading; another robot is preferred from now on."""
    task = tasks.lock(session, task_id)
    if task.status is TaskStatus.QUEUED and "avoid_robot_id" in task.details:
        return task
    avoided = {**task.details, "avoid_robot_id": str(task.assigned_robot_id)}
    workflow.apply(session, task, Action.RELEASE, tasks.context_of(actor, reason or REASSIGNED))
    task.details = avoided
    session.flush()
    tasks.record_audit(session, actor, task, "delivery.reassign", reason)
    return task


def report_copy_missing(session: Session, task_id: UUID, actor: Actor) -> DeliveryTask:
    """Mark the task's copy as missing and reserve another one.

    Without one the task is cancelled, and the member is first in the queue for the title.
    """
    task = tasks.lock(session, task_id)
    if task.status is TaskStatus.CANCELLED and task.failure_reason == COPY_NOT_FOUND:
        return task
    if task.task_type is TaskType.RETURN_PICKUP:
        raise workflow.invalid_transition(task, "NOT_FOUND")
    _ensure_before_loading(task, "NOT_FOUND")
    context = CustodyContext(str(actor.id), task.id)
    missing = task.copy_id
    custody.mark_missing(session, missing, context)
    audit.record(
        session,
        actor_id=actor.id,
        action="delivery.copy_not_found",
        resource=("delivery", task.id),
        changes={"reference": task.reference, "copy_id": str(missing)},
    )
    try:
        copy = custody.reserve_any(session, task.book_id, context)
    except BookNotAvailable:
        workflow.apply(
            session, task, Action.CANCEL, tasks.context_of(actor, COPY_NOT_FOUND, copy_missing=True)
        )
        if task.request_id is not None:
            member = session.get_one(BookRequest, task.request_id).user_id
            holds.place(session, member, task.book_id, first=True)
        return task
    _use_copy(session, task, copy.id)
    return task


def _use_copy(session: Session, task: DeliveryTask, copy_id: UUID) -> None:
    """Continue with another copy; a robot that waits to be loaded waits anew."""
    task.copy_id = copy_id
    if task.request_id is not None:
        database.row_lock(session, BookRequest, task.request_id).copy_id = copy_id
    if task.stage is Stage.LOADING:
        task.stage_since, task.reminders = clock.now(), 0
    task_effects.publish_task_event(session, task, TaskCopyChanged, COPY_NOT_FOUND)


def _ensure_before_loading(task: DeliveryTask, requested: str) -> None:
    if task.status not in BEFORE_LOADING:
        raise workflow.invalid_transition(task, requested)
