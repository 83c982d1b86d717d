"""Time limits of delivery tasks (workflow.md §4), checked about once a second."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.shared.domain import task_effects, workflow
from backend.shared.domain.transitions import Action
from backend.shared.domain.workflow import TransitionContext
from backend.shared.events import TaskNeedsAttention, TaskReminder
from backend.shared.infra import clock, config
from backend.shared.models import DeliveryTask, Stage, TaskStatus, TaskType

_CHANGED_BY = "deadlines"
_BATCH_SIZE = 100
_ALERT_SENT = 100  # value of `reminders` after the alert; reminders never count up to it
NOT_LOADED = "NOT_LOADED"
NO_SHOW = "NO_SHOW"
NO_ROBOT = "NO_ROBOT"
NOT_RECEIVED = "NOT_RECEIVED"


def check_all(session: Session) -> None:
    for check in (check_loading, check_handover, check_brought_back, check_queue):
        check(session)


def _waiting_since(
    session: Session, status: TaskStatus, stage: Stage | None, age: timedelta
) -> Sequence[DeliveryTask]:
    """Lock the tasks that have been in a state for `age`; skip those locked elsewhere."""
    statement = (
        select(DeliveryTask)
        .where(
            DeliveryTask.status == status,
            DeliveryTask.stage == stage,
            DeliveryTask.stage_since <= clock.now() - age,
        )
        .order_by(DeliveryTask.id)
        .limit(_BATCH_SIZE)
        .with_for_update(skip_locked=True)
    )
    return session.execute(statement).scalars().all()


def _remind(session: Session, task: DeliveryTask, threshold: int, reason: str) -> None:
    """Send one reminder for each threshold passed; the first threshold is 0."""
    if task.reminders > threshold:
        return
    task.reminders = threshold + 1
    task_effects.publish_task_event(session, task, TaskReminder, reason)


def _alert_once(session: Session, task: DeliveryTask, reason: str) -> None:
    if task.reminders < _ALERT_SENT:
        task.reminders = _ALERT_SENT
        task_effects.publish_task_event(session, task, TaskNeedsAttention, reason)


def check_loading(session: Session) -> None:
    """Remind at half time; at the timeout release the robot, on the last attempt fail."""
    settings = config.workflow()
    half = settings.loading_timeout / 2
    for task in _waiting_since(session, TaskStatus.ASSIGNED, Stage.LOADING, half):
        if task.stage_since > clock.now() - settings.loading_timeout:
            _remind(session, task, 0, NOT_LOADED)
            continue
        is_last = task.times_not_loaded + 1 >= settings.loading_attempts
        action = Action.FAIL if is_last else Action.RELEASE
        context = TransitionContext(by=_CHANGED_BY, reason=NOT_LOADED, not_loaded=True)
        workflow.apply(session, task, action, context)


def check_handover(session: Session) -> None:
    """Remind the receiver, then bring the book back.

    A return stays with its robot at the workstation: staff are alerted instead.
    """
    settings = config.workflow()
    interval = settings.handover_timeout / (settings.handover_reminders + 1)
    for task in _waiting_since(session, TaskStatus.IN_PROGRESS, Stage.HANDOVER, interval):
        waited = clock.now() - task.stage_since
        if waited < settings.handover_timeout:
            reached = min(int(waited / interval), settings.handover_reminders)
            _remind(session, task, reached - 1, NO_SHOW)
        elif task.task_type is TaskType.RETURN_PICKUP:
            _alert_once(session, task, NOT_RECEIVED)
        else:
            context = TransitionContext(by=_CHANGED_BY, reason=NO_SHOW)
            workflow.apply(session, task, Action.BRING_BACK, context)


def check_brought_back(session: Session) -> None:
    """Alert staff when a robot that has brought a book back is not unloaded."""
    age = config.workflow().loading_timeout
    for task in _waiting_since(session, TaskStatus.IN_PROGRESS, Stage.BRINGING_BACK, age):
        if task.arrived_at is not None:
            _alert_once(session, task, NOT_RECEIVED)


def check_queue(session: Session) -> None:
    """Send one reminder when a task has had no robot for a while."""
    age = config.workflow().no_robot_notice
    for task in _waiting_since(session, TaskStatus.QUEUED, None, age):
        _remind(session, task, 0, NO_ROBOT)
