"""A journey follows its robot: what became of a command moves the task on."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.shared.domain import commands, task_effects, workflow
from backend.shared.domain.workflow import Action, TransitionContext
from backend.shared.events import CommandFailed, CommandSucceeded, TaskNeedsAttention
from backend.shared.infra import config, database
from backend.shared.models import (
    CommandStatus,
    DeliveryTask,
    RobotCommand,
    TaskStatus,
)

ROBOT_ERROR = "ROBOT_ERROR"
_BY = "robot"
_FAILED = (CommandStatus.FAILED, CommandStatus.REFUSED, CommandStatus.CANCELLED)


def follow(session: Session, event: CommandSucceeded | CommandFailed) -> None:
    """Arrived: the next stage. Failed: the same again, a few times; then the task is taken off.

    Compare-and-set: only the task's newest command for its present stage counts, so an event that
    comes late, twice or out of order changes nothing.
    """
    if event.task_id is None:
        return
    task: DeliveryTask | None = database.row_lock(session, DeliveryTask, event.task_id)
    if (
        task is None
        or not commands.needs_navigation(task)
        or not _is_newest(session, task, event.command_id)
    ):
        return
    if isinstance(event, CommandSucceeded):
        workflow.apply(session, task, Action.ARRIVE, TransitionContext(by=_BY))
    elif _failures(session, task) < config.workflow().command_attempts:
        commands.issue_navigation(session, task)
    else:
        _give_up(session, task, event.result)


def _is_newest(session: Session, task: DeliveryTask, command_id: UUID) -> bool:
    newest = session.execute(
        select(RobotCommand.id)
        .where(
            RobotCommand.task_id == task.id,
            RobotCommand.robot_id == task.assigned_robot_id,
            RobotCommand.leg.is_not(None),
            RobotCommand.created_at >= task.stage_since,
        )
        .order_by(RobotCommand.seq.desc())
        .limit(1)
    ).scalar_one_or_none()
    return newest == command_id


def _failures(session: Session, task: DeliveryTask) -> int:
    return session.execute(
        select(func.count())
        .select_from(RobotCommand)
        .where(
            RobotCommand.task_id == task.id,
            RobotCommand.robot_id == task.assigned_robot_id,
            RobotCommand.created_at >= task.stage_since,
            RobotCommand.status.in_(_FAILED),
        )
    ).scalar_one()


def _give_up(session: Session, task: DeliveryTask, why: str | None) -> None:
    """Before loading another robot may do it, a few times; with a book on board staff decide."""
    reason = f"{ROBOT_ERROR}: {why}" if why else ROBOT_ERROR
    if task.status is TaskStatus.IN_PROGRESS:
        task_effects.publish_task_event(session, task, TaskNeedsAttention, reason)
        return
    often = task.attempt >= config.workflow().journey_attempts
    workflow.apply(
        session,
        task,
        Action.FAIL if often else Action.RELEASE,
        TransitionContext(by=_BY, reason=reason),
    )
