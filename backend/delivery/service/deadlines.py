"""Time limits of delivery tasks (workflow.md §4), checked about once a second."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.shared.domain import task_effects, waits, workflow
from backend.shared.domain.transitions import Action
from backend.shared.domain.workflow import TransitionContext
from backend.shared.events import TaskNeedsAttention, TaskReminder
from backend.shared.infra import clock, config
from backend.shared.models import DeliveryTask, Stage, TaskStatus, TaskType

_CHANGED_BY = "deadlines"
_BATCH_SIZE = 100
_ALERT_SENT = 100  # added to the number of alerts in `reminders`; reminders never count up to it
NOT_LOADED = "NOT_LOADED"
NO_SHOW = "NO_SHOW"
NO_ROBOT = "NO_ROBOT"
NOT_RECEIVED = "NOT_RECEIVED"
ROBOT_LATE = "ROBOT_LATE"


def check_all(session: Session) -> None:
    for check in (
        check_loading,
        check_handover,
        check_brought_back,
        check_driving,
        check_queue,
    ):
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


def _alert_repeatedly(
    session: Session, task: DeliveryTask, overdue: timedelta, reason: str
) -> None:
    """Alert staff at the deadline, then at each interval that the task stays overdue."""
    alerts = 1 + int(overdue / config.workflow().unreceived_alert_interval)
    if task.reminders < _ALERT_SENT + alerts:
        task.reminders = _ALERT_SENT + alerts
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
        overdue = waited - waits.handover_wait(task.extensions)
        if overdue < timedelta():
            reached = min(int(waited / interval), settings.handover_reminders)
            _remind(session, task, reached - 1, NO_SHOW)
        elif task.task_type is TaskType.RETURN_PICKUP:
            _alert_repeatedly(session, task, overdue, NOT_RECEIVED)
        else:
            context = TransitionContext(by=_CHANGED_BY, reason=NO_SHOW)
            workflow.apply(session, task, Action.BRING_BACK, context)


def check_brought_back(session: Session) -> None:
    """Alert staff while a robot that has brought a book back is not unloaded."""
    age = config.workflow().loading_timeout
    for task in _waiting_since(session, TaskStatus.IN_PROGRESS, Stage.BRINGING_BACK, age):
        if task.arrived_at is not None:
            overdue = clock.now() - task.stage_since - age
            _alert_repeatedly(session, task, overdue, NOT_RECEIVED)


def check_driving(session: Session) -> None:
    """Free a robot that takes too long to the source; with a book on board, alert staff."""
    age = config.workflow().driving_timeout
    for task in _waiting_since(session, TaskStatus.ASSIGNED, Stage.TO_SOURCE, age):
        is_last = task.attempt >= config.workflow().journey_attempts
        context = TransitionContext(by=_CHANGED_BY, reason=ROBOT_LATE)
        workflow.apply(session, task, Action.FAIL if is_last else Action.RELEASE, context)
    for stage in (Stage.TO_DESTINATION, Stage.BRINGING_BACK):
        for task in _waiting_since(session, TaskStatus.IN_PROGRESS, stage, age):
            if task.arrived_at is None:
                overdue = clock.now() - task.stage_since - age
                _alert_repeatedly(session, task, overdue, ROBOT_LATE)


def check_queue(session: Session) -> None:
    """Send one reminder when a task has had no robot for a while."""
    age = config.workflow().no_robot_notice
    for task in _waiting_since(session, TaskStatus.QUEUED, None, age):
        _remind(session, task, 0, NO_ROBOT)
