"""Robot commands: issue, enqueue and void them within the caller's transaction.

`issue_navigation` creates the one command that sets a robot in motion for a task; a docked robot
leaves its dock first, by a command of its own. For a leg that
carries a book it requires the loading proof: the database rejects the row without one
(`ck_robot_commands_loaded_before_it_leaves`) or with one of another task or robot
(`fk_robot_commands_loading_proof`). A robot that is stopped, offline, in maintenance or in error
receives no command: its task's command is pending until `issue_pending` can create it. The database
makes a command of a stopped robot void (trigger `fence_command`).

Lock order everywhere: task, then robot, then command.
"""

from functools import cache
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from backend.shared.domain import command_rows, stop_latches
from backend.shared.errors import RobotUnavailable
from backend.shared.events import CommandCreated
from backend.shared.infra import clock, commit_hooks, config, database
from backend.shared.messaging import channels, outbox
from backend.shared.models import (
    ACTIVE_COMMAND_STATUSES,
    ACTIVE_TASK_STATUSES,
    IN_FLIGHT_COMMAND_STATUSES,
    MOTION_COMMAND_TYPES,
    CommandStatus,
    CommandType,
    Connectivity,
    DeliveryTask,
    Leg,
    LoadingProof,
    Robot,
    RobotCommand,
    RobotStatus,
    Stage,
)

_LEG_OF_STAGE = {
    Stage.TO_SOURCE: Leg.TO_SOURCE,
    Stage.TO_DESTINATION: Leg.TO_DESTINATION,
    Stage.BRINGING_BACK: Leg.BRINGING_BACK,
}


def can_move(session: Session, robot: Robot) -> bool:
    """Return whether the robot may receive a command to move now."""
    return (
        not stop_latches.is_robot_stopped(session, robot.id)
        and robot.retired_at is None
        and robot.paused_at is None
        and robot.connectivity in {Connectivity.ONLINE, Connectivity.STALE}
        and robot.status not in {RobotStatus.MAINTENANCE, RobotStatus.ERROR}
    )


def is_idle() -> ColumnElement[bool]:
    """Build the condition for assignable robots without a command."""
    return is_assignable() & ~_active_command().exists()


def _active_command() -> Select[UUID]:
    return select(RobotCommand.id).where(
        RobotCommand.robot_id == Robot.id,
        RobotCommand.type.in_([*MOTION_COMMAND_TYPES, CommandType.CANCEL]),
        RobotCommand.status.in_(ACTIVE_COMMAND_STATUSES),
    )


@cache
def is_assignable() -> ColumnElement[bool]:
    """Build the condition for robots to which a task may be assigned, also on the way to a dock."""
    busy = _active_command().where(
        RobotCommand.task_id.is_not(None)
        | (RobotCommand.type != CommandType.NAVIGATE)
        | (RobotCommand.status == CommandStatus.UNKNOWN)
    )
    has_task = select(DeliveryTask.id).where(
        DeliveryTask.assigned_robot_id == Robot.id, DeliveryTask.status.in_(ACTIVE_TASK_STATUSES)
    )
    return (
        (Robot.status == RobotStatus.IDLE)
        & (Robot.connectivity == Connectivity.ONLINE)
        & ~stop_latches.is_stopped(Robot.id)
        & Robot.retired_at.is_(None)
        & Robot.paused_at.is_(None)
        & ~busy.exists()
        & ~has_task.exists()
    )


def needs_navigation(task: DeliveryTask) -> bool:
    """Return whether the task is in a driving stage and its robot has not arrived."""
    return task.stage in _LEG_OF_STAGE and task.arrived_at is None


def issue_navigation(
    session: Session,
    task: DeliveryTask,
    proof: LoadingProof | None = None,
    *,
    has_undocked: bool = False,
) -> RobotCommand | None:
    """Issue the navigation command of the task's stage; None when the robot can't move now.

    Also None, even for a docked robot, when no open route leads from its place to the target.
    Issues UNDOCK instead to a docked robot, unless it `has_undocked`. Voids earlier commands of
    the robot. `proof` is looked up when not given. RobotUnavailable when the leg carries a book
    and there is no proof.
    """
    if task.stage is None or task.assigned_robot_id is None:
        raise RobotUnavailable("This delivery has no robot at the moment.")
    robot = database.row_lock(session, Robot, task.assigned_robot_id)
    void(session, robot)
    if robot.status not in {RobotStatus.MAINTENANCE, RobotStatus.ERROR}:
        robot.status = RobotStatus.BUSY
    if not can_move(session, robot):
        return None
    command = command_rows.navigate(session, robot, task, _LEG_OF_STAGE[task.stage], proof)
    if command is None:
        return None
    if robot.docked and not has_undocked:
        command = command_rows.undock(task)
    return enqueue(session, robot, command)


def announce_arrival(session: Session, task: DeliveryTask) -> None:
    """Let the robot say that it has arrived at a hand-over, if its bridge states that it can."""
    robot = database.row_lock(session, Robot, task.assigned_robot_id)
    if robot.capabilities.get("say"):
        enqueue(session, robot, command_rows.announce_arrival(session, task))


def enqueue(session: Session, robot: Robot, command: RobotCommand) -> RobotCommand:
    """Insert a command for the robot and wake its poll at commit. The robot must be locked."""
    command.robot_id = robot.id
    session.add(command)
    session.flush()
    database.on_commit(session, commit_hooks.Publish(channels.command_channel(robot.id)))
    outbox.publish(
        session,
        CommandCreated(
            command_id=command.id,
            robot_id=robot.id,
            task_id=command.task_id,
            command_type=command.type,
            leg=command.leg,
        ),
    )
    return command


def void(session: Session, robot: Robot) -> None:
    """Void the robot's active commands to move, and cancel one that it may be executing.

    The robot's row must be locked.
    """
    active = session.execute(
        select(RobotCommand)
        .where(
            RobotCommand.robot_id == robot.id,
            RobotCommand.type.in_(MOTION_COMMAND_TYPES),
            RobotCommand.status.in_(ACTIVE_COMMAND_STATUSES),
        )
        .with_for_update()
    ).scalars()
    for command in active.all():
        was_in_flight = command.status in IN_FLIGHT_COMMAND_STATUSES
        command.status = CommandStatus.VOID
        command.finished_at = clock.now()
        session.flush()
        if was_in_flight and not stop_latches.is_robot_stopped(session, robot.id):
            enqueue(
                session,
                robot,
                RobotCommand(
                    type=CommandType.CANCEL,
                    payload={"command_id": str(command.id)},
                    deadline=clock.now() + config.robots().offline_after,
                ),
            )


def release(session: Session, robot_id: UUID) -> None:
    """Void the robot's commands and make it available for another task."""
    robot = database.row_lock(session, Robot, robot_id)
    void(session, robot)
    if robot.status in {RobotStatus.BUSY, RobotStatus.NAVIGATING}:
        robot.status = RobotStatus.IDLE
    session.flush()


def issue_pending(session: Session, task_id: UUID) -> bool:
    """Issue the task's pending command if its robot can move now; return whether one was issued.

    Waits for no lock: the periodic job tries again.
    """
    task = database.row_lock_or_skip(session, DeliveryTask, task_id)
    if task is None or task.assigned_robot_id is None or not needs_navigation(task):
        return False
    robot = database.row_lock_or_skip(session, Robot, task.assigned_robot_id)
    if robot is None or not can_move(session, robot) or has_active_command(session, robot.id):
        return False
    if _has_outcome(session, task):
        return False
    return issue_navigation(session, task) is not None


def _has_outcome(session: Session, task: DeliveryTask) -> bool:
    """Return whether this stage's drive has ended and only its event is still to be processed."""
    last = session.execute(
        select(RobotCommand.type, RobotCommand.status, RobotCommand.is_due_again)
        .where(
            RobotCommand.task_id == task.id,
            RobotCommand.robot_id == task.assigned_robot_id,
            RobotCommand.type.in_(MOTION_COMMAND_TYPES),
            RobotCommand.created_at >= task.stage_since,
        )
        .order_by(RobotCommand.seq.desc())
        .limit(1)
    ).one_or_none()
    if last is None or last.status is CommandStatus.VOID or last.is_due_again:
        return False
    return last.type is not CommandType.UNDOCK or last.status is not CommandStatus.SUCCEEDED


def has_active_command(session: Session, robot_id: UUID) -> bool:
    """Return whether the robot has a command to move that has not ended."""
    found = session.execute(
        select(RobotCommand.id)
        .where(
            RobotCommand.robot_id == robot_id,
            RobotCommand.type.in_(MOTION_COMMAND_TYPES),
            RobotCommand.status.in_(ACTIVE_COMMAND_STATUSES),
        )
        .limit(1)
    ).scalar_one_or_none()
    return found is not None


def active_task_id(session: Session, robot_id: UUID) -> UUID | None:
    """Return the task that the robot is serving."""
    return session.execute(
        select(DeliveryTask.id).where(
            DeliveryTask.assigned_robot_id == robot_id,
            DeliveryTask.status.in_(ACTIVE_TASK_STATUSES),
        )
    ).scalar_one_or_none()
