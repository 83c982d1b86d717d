"""Move a delivery task on when a robot reports the outcome of its navigation command."""

from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from backend.shared.domain import commands, eta, task_effects, workflow
from backend.shared.domain.transitions import Action
from backend.shared.domain.workflow import TransitionContext
from backend.shared.events import CommandFailed, CommandSucceeded, TaskNeedsAttention
from backend.shared.infra import config, database
from backend.shared.models import (
    FAILED_COMMAND_STATUSES,
    MOTION_COMMAND_TYPES,
    CommandType,
    DeliveryTask,
    EtaReason,
    Robot,
    RobotCommand,
    TaskStatus,
)

ROBOT_ERROR = "ROBOT_ERROR"
PATH_BLOCKED = "PATH_BLOCKED"
_CHANGED_BY = "robot"


def apply(session: Session, event: CommandSucceeded | CommandFailed) -> None:
    """Enter the next stage after success; after a failure retry the command, then give up.

    Compare-and-set: only the newest command of the task's present stage counts, so a late,
    duplicate or reordered event changes nothing.
    """
    if event.task_id is None:
        return
    task = database.row_lock_or_none(session, DeliveryTask, event.task_id)
    if (
        task is None
        or not commands.needs_navigation(task)
        or not _is_newest(session, task, event.command_id)
    ):
        return
    if isinstance(event, CommandSucceeded) and event.command_type == CommandType.UNDOCK:
        commands.issue_navigation(session, task, has_undocked=True)
    elif isinstance(event, CommandSucceeded):
        workflow.apply(session, task, Action.ARRIVE, TransitionContext(by=_CHANGED_BY))
    elif _count_failures(session, task) < config.workflow().command_attempts:
        _try_again(session, task, event)
    else:
        _give_up(session, task, event.result)


def _try_again(session: Session, task: DeliveryTask, failed: CommandFailed) -> None:
    """Issue the drive again: now, or as soon as the robot can move."""
    if commands.issue_navigation(session, task) is None:
        session.get_one(RobotCommand, failed.command_id).is_due_again = True
    elif (failed.result or "").startswith(PATH_BLOCKED):
        robot = session.get_one(Robot, task.assigned_robot_id)
        eta.say_for_robot(session, task, robot, EtaReason.DETOUR)


def _of_present_stage(task: DeliveryTask) -> ColumnElement[bool]:
    return (
        (RobotCommand.task_id == task.id)
        & (RobotCommand.robot_id == task.assigned_robot_id)
        & (RobotCommand.created_at >= task.stage_since)
    )


def _is_newest(session: Session, task: DeliveryTask, command_id: UUID) -> bool:
    newest = session.execute(
        select(RobotCommand.id)
        .where(_of_present_stage(task), RobotCommand.type.in_(MOTION_COMMAND_TYPES))
        .order_by(RobotCommand.seq.desc())
        .limit(1)
    ).scalar_one_or_none()
    return newest == command_id


def _count_failures(session: Session, task: DeliveryTask) -> int:
    return session.execute(
        select(func.count())
        .select_from(RobotCommand)
        .where(_of_present_stage(task), RobotCommand.status.in_(FAILED_COMMAND_STATUSES))
    ).scalar_one()


def _give_up(session: Session, task: DeliveryTask, result: str | None) -> None:
    """Before loading, release the task to another robot or fail it; with a book on board, alert."""
    reason = f"{ROBOT_ERROR}: {result}" if result else ROBOT_ERROR
    if task.status is TaskStatus.IN_PROGRESS:
        task_effects.publish_task_event(session, task, TaskNeedsAttention, reason)
        return
    is_last = task.attempt >= config.workflow().journey_attempts
    action = Action.FAIL if is_last else Action.RELEASE
    workflow.apply(session, task, action, TransitionContext(by=_CHANGED_BY, reason=reason))
