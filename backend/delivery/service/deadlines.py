"""Time limits of delivery tasks (workflow.md §4), checked about once a second.

What is due is decided without a lock, then again under the locks of one task and its robot: a check
never waits for a robot, and never holds one task while it waits for another.

While its robot is stopped a task keeps its stage: at the limit staff are alerted, and the time
counts anew from the resume.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from backend.shared.domain import stop_latches, task_effects, waits, workflow
from backend.shared.domain.transitions import Action
from backend.shared.domain.workflow import TransitionContext
from backend.shared.events import TaskEvent, TaskNeedsAttention, TaskReminder
from backend.shared.infra import clock, config, database
from backend.shared.models import DeliveryTask, Robot, Stage, TaskStatus, TaskType

_CHANGED_BY = "deadlines"
_ALERT_SENT = 100  # added to the number of alerts in `reminders`; reminders never count up to it
NOT_LOADED = "NOT_LOADED"
NO_SHOW = "NO_SHOW"
NO_ROBOT = "NO_ROBOT"
NOT_RECEIVED = "NOT_RECEIVED"
ROBOT_LATE = "ROBOT_LATE"
ROBOT_STOPPED = "ROBOT_STOPPED"
_WAIT = (waits.since(), stop_latches.is_stopped(DeliveryTask.assigned_robot_id))


@dataclass(frozen=True)
class _Notice:
    """An event that is sent once: `number` is stored in the task's `reminders`."""

    kind: type[TaskEvent]
    number: int
    reason: str


@dataclass(frozen=True)
class _Move:
    """A transition."""

    action: Action
    context: TransitionContext


_Step = _Notice | _Move


def waiting_tasks() -> Select[DeliveryTask]:
    """Select the tasks that have been in their state for as long as its first limit."""
    settings = config.workflow()
    limits = (
        (TaskStatus.ASSIGNED, Stage.TO_SOURCE, settings.driving_timeout),
        (TaskStatus.ASSIGNED, Stage.LOADING, settings.loading_timeout / 2),
        (TaskStatus.IN_PROGRESS, Stage.TO_DESTINATION, settings.driving_timeout),
        (TaskStatus.IN_PROGRESS, Stage.HANDOVER, _reminder_interval()),
        (
            TaskStatus.IN_PROGRESS,
            Stage.BRINGING_BACK,
            min(settings.driving_timeout, settings.loading_timeout),
        ),
    )
    now = clock.now()
    unserved = and_(
        DeliveryTask.status == TaskStatus.QUEUED,
        DeliveryTask.stage_since <= now - settings.no_robot_notice,
        DeliveryTask.reminders == 0,
    )
    return select(DeliveryTask).where(
        or_(
            unserved,
            *(
                and_(
                    DeliveryTask.status == status,
                    DeliveryTask.stage == stage,
                    DeliveryTask.stage_since <= now - age,
                )
                for status, stage, age in limits
            ),
        )
    )


def check_all(session: Session) -> None:
    """Remind, alert, and move tasks whose time is over."""
    found = session.execute(waiting_tasks().add_columns(*_WAIT).order_by(DeliveryTask.id)).all()
    due = [task.id for task, since, stopped in found if _due_step(task, since, is_stopped=stopped)]
    database.run_each(due, _check)


def _check(session: Session, task_id: UUID) -> None:
    """Do what is due for one task, unless it or its robot is locked: then the next run does."""
    task = database.row_lock_or_skip(session, DeliveryTask, task_id)
    if task is None:
        return
    since, stopped = session.execute(select(*_WAIT).where(DeliveryTask.id == task_id)).one()
    step = _due_step(task, since, is_stopped=stopped)
    if step is None:
        return
    robot_id = task.assigned_robot_id
    if robot_id is not None and database.row_lock_or_skip(session, Robot, robot_id) is None:
        return
    if isinstance(step, _Move):
        workflow.apply(session, task, step.action, step.context)
    else:
        task.reminders = step.number
        task_effects.publish_task_event(session, task, step.kind, step.reason)


def _due_step(task: DeliveryTask, since: datetime, *, is_stopped: bool) -> _Step | None:
    """Return what is due for a task now; None when nothing is, or a notice has been sent."""
    waited = clock.now() - since
    if is_stopped and task.assigned_robot_id is not None:
        step: _Step | None = _alert(waited - _limit(task), ROBOT_STOPPED)
    else:
        step = _step_of_state(task, waited)
    return None if isinstance(step, _Notice) and _is_sent(task, step) else step


def _is_sent(task: DeliveryTask, notice: _Notice) -> bool:
    """Return whether it was sent; after an alert, which a stop causes, reminders begin anew."""
    if notice.kind is TaskReminder and task.reminders > _ALERT_SENT:
        return False
    return task.reminders >= notice.number


def _limit(task: DeliveryTask) -> timedelta:
    """Return how long a task may be in its present stage."""
    settings = config.workflow()
    if task.stage is Stage.HANDOVER:
        return waits.handover_wait(task.extensions)
    stands = task.stage is Stage.LOADING or task.arrived_at is not None
    return settings.loading_timeout if stands else settings.driving_timeout


def _step_of_state(task: DeliveryTask, waited: timedelta) -> _Step | None:
    settings = config.workflow()
    match task.status, task.stage:
        case TaskStatus.QUEUED, _ if waited >= settings.no_robot_notice:
            return _Notice(TaskReminder, 1, NO_ROBOT)
        case TaskStatus.ASSIGNED, Stage.LOADING:
            return _loading(task, waited)
        case TaskStatus.ASSIGNED, Stage.TO_SOURCE if waited >= settings.driving_timeout:
            is_last = task.attempt >= settings.journey_attempts
            return _move(Action.FAIL if is_last else Action.RELEASE, ROBOT_LATE)
        case TaskStatus.IN_PROGRESS, Stage.HANDOVER:
            return _handover(task, waited)
        case TaskStatus.IN_PROGRESS, Stage.TO_DESTINATION | Stage.BRINGING_BACK:
            return _driving(task, waited)
    return None


def _move(action: Action, reason: str, *, not_loaded: bool = False) -> _Move:
    return _Move(action, TransitionContext(by=_CHANGED_BY, reason=reason, not_loaded=not_loaded))


def _alert(overdue: timedelta, reason: str) -> _Notice | None:
    """Alert staff at the deadline, then at each interval that the task stays overdue."""
    if overdue < timedelta():
        return None
    alerts = 1 + int(overdue / config.workflow().unreceived_alert_interval)
    return _Notice(TaskNeedsAttention, _ALERT_SENT + alerts, reason)


def _loading(task: DeliveryTask, waited: timedelta) -> _Step | None:
    """Remind at half time; at the timeout release the robot, on the last attempt fail."""
    settings = config.workflow()
    if waited < settings.loading_timeout / 2:
        return None
    if waited < settings.loading_timeout:
        return _Notice(TaskReminder, 1, NOT_LOADED)
    is_last = task.times_not_loaded + 1 >= settings.loading_attempts
    return _move(Action.FAIL if is_last else Action.RELEASE, NOT_LOADED, not_loaded=True)


def _reminder_interval() -> timedelta:
    settings = config.workflow()
    return settings.handover_timeout / (settings.handover_reminders + 1)


def _handover(task: DeliveryTask, waited: timedelta) -> _Step | None:
    """Remind the receiver, then bring the book back.

    A return stays with its robot at the workstation: staff are alerted instead.
    """
    overdue = waited - waits.handover_wait(task.extensions)
    if overdue < timedelta():
        reached = min(int(waited / _reminder_interval()), config.workflow().handover_reminders)
        return _Notice(TaskReminder, reached, NO_SHOW) if reached else None
    if task.task_type is TaskType.RETURN_PICKUP:
        return _alert(overdue, NOT_RECEIVED)
    return _move(Action.BRING_BACK, NO_SHOW)


def _driving(task: DeliveryTask, waited: timedelta) -> _Step | None:
    """Alert staff about a book that is too long on its way, or back and not unloaded."""
    settings = config.workflow()
    if task.arrived_at is None:
        return _alert(waited - settings.driving_timeout, ROBOT_LATE)
    if task.stage is Stage.BRINGING_BACK:
        return _alert(waited - settings.loading_timeout, NOT_RECEIVED)
    return None
