"""What happens when nobody comes (workflow.md §4). Looked at every second or so."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.shared.domain import task_effects, workflow
from backend.shared.domain.workflow import Action, TransitionContext
from backend.shared.events import TaskNeedsAttention, TaskReminder
from backend.shared.infra import clock, config
from backend.shared.models import DeliveryTask, Stage, TaskStatus, TaskType

_BY = "deadlines"
NOT_LOADED = "NOT_LOADED"
NO_SHOW = "NO_SHOW"
NO_ROBOT = "NO_ROBOT"
NOT_RECEIVED = "NOT_RECEIVED"


def _older(
    session: Session, status: TaskStatus, stage: Stage | None, age: timedelta
) -> Iterator[DeliveryTask]:
    """Tasks that have been in a state for so long, locked; those in other hands are left."""
    question = (
        select(DeliveryTask)
        .where(DeliveryTask.status == status, DeliveryTask.stage_since <= clock.now() - age)
        .where(DeliveryTask.stage == stage if stage is not None else DeliveryTask.stage.is_(None))
        .order_by(DeliveryTask.id)
        .limit(100)
        .with_for_update(skip_locked=True)
    )
    yield from session.execute(question).scalars().all()


def _remind(session: Session, task: DeliveryTask, already: int, reason: str) -> None:
    """Remind once for each threshold passed."""
    if task.reminders > already:
        return
    task.reminders = already + 1
    task_effects.publish_task_event(session, task, TaskReminder, reason)


def look_at_loading(session: Session) -> None:
    """Half time: a reminder. Full time: the robot is freed; the second time the task fails."""
    settings = config.workflow()
    for task in _older(session, TaskStatus.ASSIGNED, Stage.LOADING, settings.loading_timeout / 2):
        if task.stage_since > clock.now() - settings.loading_timeout:
            _remind(session, task, 0, NOT_LOADED)
            continue
        task.times_not_loaded += 1
        often = task.times_not_loaded >= settings.loading_attempts
        action = Action.FAIL if often else Action.RELEASE
        workflow.apply(session, task, action, TransitionContext(by=_BY, reason=NOT_LOADED))


def look_at_handover(session: Session) -> None:
    """The receiver is reminded twice; then a book for a member goes back.

    A fetched book stays with the robot at the workstation: staff are told until they take it.
    """
    settings = config.workflow()
    share = settings.handover_timeout / (settings.handover_reminders + 1)
    for task in _older(session, TaskStatus.IN_PROGRESS, Stage.HANDOVER, share):
        waited = clock.now() - task.stage_since
        if waited < settings.handover_timeout:
            _remind(
                session, task, min(int(waited / share), settings.handover_reminders) - 1, NO_SHOW
            )
        elif task.task_type is TaskType.RETURN_PICKUP:
            _alert_once(session, task, NOT_RECEIVED)
        else:
            task.back_waypoint_id = task.source_waypoint_id
            workflow.apply(
                session, task, Action.BRING_BACK, TransitionContext(by=_BY, reason=NO_SHOW)
            )


def look_at_brought_back(session: Session) -> None:
    """A robot that has brought a book back waits for staff."""
    age = config.workflow().loading_timeout
    for task in _older(session, TaskStatus.IN_PROGRESS, Stage.BRINGING_BACK, age):
        if task.arrived_at is not None:
            _alert_once(session, task, NOT_RECEIVED)


def look_at_queue(session: Session) -> None:
    """No robot for a while: the member and staff are told; the task waits."""
    age = config.workflow().no_robot_notice
    for task in _older(session, TaskStatus.QUEUED, None, age):
        _remind(session, task, 0, NO_ROBOT)


_ALERTED = 100  # a count that reminders never reach


def _alert_once(session: Session, task: DeliveryTask, reason: str) -> None:
    if task.reminders < _ALERTED:
        task.reminders = _ALERTED
        task_effects.publish_task_event(session, task, TaskNeedsAttention, reason)


def look(session: Session) -> None:
    """All deadlines of journeys."""
    for rule in (look_at_loading, look_at_handover, look_at_brought_back, look_at_queue):
        rule(session)
