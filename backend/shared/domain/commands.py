"""Giving commands to robots, taking them back: used by the workflow in its own transactions.

**A robot waits for the book here**: `drive` makes the one command that sets a robot in motion.
For a leg that carries a book it takes the loading proof as an argument, and the database refuses
the row without one (`ck_robot_commands_loaded_before_it_leaves`) or with one of another task or
robot (`fk_robot_commands_loading_proof`). A robot that is stopped, offline, in maintenance or in
error is given nothing: its task is *owed* a command, made by `settle` once the robot is able.

Lock order everywhere: task, then robot, then command.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from backend.shared.domain import route_graph
from backend.shared.domain.route_graph import Place
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

_LONGEST_DRIVE = timedelta(hours=1)
_LEG_OF_STAGE = {
    Stage.TO_SOURCE: Leg.TO_SOURCE,
    Stage.TO_DESTINATION: Leg.TO_DESTINATION,
    Stage.BRINGING_BACK: Leg.BRINGING_BACK,
}


def can_move(robot: Robot) -> bool:
    """Whether a robot may be given a command to move now."""
    return (
        robot.stopped_at is None
        and robot.retired_at is None
        and robot.connectivity in {Connectivity.ONLINE, Connectivity.STALE}
        and robot.status not in {RobotStatus.MAINTENANCE, RobotStatus.ERROR}
    )


def is_assignable() -> ColumnElement[bool]:
    """Whether a robot may be given a new journey, for a query."""
    busy = select(RobotCommand.id).where(
        RobotCommand.robot_id == Robot.id, RobotCommand.status.in_(ACTIVE_COMMAND_STATUSES)
    )
    travelling = select(DeliveryTask.id).where(
        DeliveryTask.assigned_robot_id == Robot.id, DeliveryTask.status.in_(ACTIVE_TASK_STATUSES)
    )
    return (
        (Robot.status == RobotStatus.IDLE)
        & (Robot.connectivity == Connectivity.ONLINE)
        & Robot.stopped_at.is_(None)
        & Robot.retired_at.is_(None)
        & ~busy.exists()
        & ~travelling.exists()
    )


def needs_navigation(task: DeliveryTask) -> bool:
    """Whether the task is in a driving stage and has not arrived yet."""
    return task.stage in _LEG_OF_STAGE and task.arrived_at is None


def target_of(task: DeliveryTask) -> UUID:
    """The waypoint that the task's present stage drives to."""
    if task.stage is Stage.TO_SOURCE:
        return task.source_waypoint_id
    if task.stage is Stage.BRINGING_BACK and task.back_waypoint_id is not None:
        return task.back_waypoint_id
    return task.destination_waypoint_id


def issue_navigation(
    session: Session, task: DeliveryTask, proof: LoadingProof | None = None
) -> RobotCommand | None:
    """Send the task's robot where its stage leads; None when it can't go now (then it is owed).

    Any earlier command of the robot is void. `proof` is found when not given; without one no
    command to leave with a book comes to be.
    """
    if task.stage is None or task.assigned_robot_id is None:
        raise RobotUnavailable("This delivery travels with no robot at the moment.")
    robot = database.row_lock(session, Robot, task.assigned_robot_id)
    void(session, robot)
    if robot.status not in {RobotStatus.MAINTENANCE, RobotStatus.ERROR}:
        robot.status = RobotStatus.BUSY
    if not can_move(robot):
        return None
    way = _route(session, robot, task)
    if way is None:
        return None
    leg = _LEG_OF_STAGE[task.stage]
    if leg is not Leg.TO_SOURCE and proof is None:
        proof = _proof_of(session, task)
    return enqueue(
        session,
        robot,
        RobotCommand(
            type=CommandType.NAVIGATE,
            task_id=task.id,
            leg=leg,
            target_waypoint_id=target_of(task),
            loading_proof_id=proof.id if proof is not None else None,
            payload=_navigation_payload(task, way, proof),
            deadline=clock.now() + _LONGEST_DRIVE,
        ),
    )


def _proof_of(session: Session, task: DeliveryTask) -> LoadingProof:
    proof: LoadingProof | None = session.execute(
        select(LoadingProof).where(
            LoadingProof.task_id == task.id,
            LoadingProof.robot_id == task.assigned_robot_id,
            LoadingProof.attempt == task.attempt,
        )
    ).scalar_one_or_none()
    if proof is None:
        raise RobotUnavailable("Nobody has confirmed that the book is on this robot.")
    return proof


def _route(session: Session, robot: Robot, task: DeliveryTask) -> list[Place] | None:
    """The route to where the task leads; None while no open way leads there."""
    places = route_graph.current(session)
    target, here = places.places.get(target_of(task)), places.nearest(robot.pose)
    if target is None or here is None:
        return None
    try:
        return places.route(here.id, target.id)
    except RobotUnavailable:
        return None


def _navigation_payload(
    task: DeliveryTask, way: list[Place], proof: LoadingProof | None
) -> dict[str, Any]:
    target = way[-1]
    stage = task.stage.value if task.stage is not None else None
    return {
        "waypoint": target.as_payload(),
        "route": [place.as_payload() for place in way],
        "task": {"id": str(task.id), "reference": task.reference, "stage": stage},
        "loading_proof_id": str(proof.id) if proof is not None else None,
    }


def enqueue(session: Session, robot: Robot, command: RobotCommand) -> RobotCommand:
    """Put a command on the robot's list and wake its poll at commit. The robot must be locked."""
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
    """Void the robot's commands to move; one that the robot may be carrying out is cancelled.

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
        was_held = command.status in IN_FLIGHT_COMMAND_STATUSES
        command.status = CommandStatus.VOID
        command.finished_at = clock.now()
        session.flush()
        if was_held and robot.stopped_at is None:
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
    """The robot's journey is over or taken from it: it may serve another."""
    robot = database.row_lock(session, Robot, robot_id)
    void(session, robot)
    if robot.status in {RobotStatus.BUSY, RobotStatus.NAVIGATING}:
        robot.status = RobotStatus.IDLE
    session.flush()


def issue_pending(session: Session, task_id: UUID) -> bool:
    """Make the command that a task is owed, if its robot is able now; whether one was made."""
    task = database.row_lock_or_none(session, DeliveryTask, task_id)
    if task is None or task.assigned_robot_id is None or not needs_navigation(task):
        return False
    robot = database.row_lock(session, Robot, task.assigned_robot_id)
    if not can_move(robot) or has_active_command(session, robot.id):
        return False
    if _has_outcome(session, task):
        return False
    return issue_navigation(session, task) is not None


def _has_outcome(session: Session, task: DeliveryTask) -> bool:
    """Whether this stage's drive has ended already, and the event of it is on its way."""
    last = session.execute(
        select(RobotCommand.status)
        .where(
            RobotCommand.task_id == task.id,
            RobotCommand.robot_id == task.assigned_robot_id,
            RobotCommand.type == CommandType.NAVIGATE,
            RobotCommand.created_at >= task.stage_since,
        )
        .order_by(RobotCommand.seq.desc())
        .limit(1)
    ).scalar_one_or_none()
    return last not in {None, CommandStatus.VOID}


def has_active_command(session: Session, robot_id: UUID) -> bool:
    """Whether the robot has a command to move that has not ended."""
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
    """The journey that the robot is on."""
    return session.execute(
        select(DeliveryTask.id).where(
            DeliveryTask.assigned_robot_id == robot_id,
            DeliveryTask.status.in_(ACTIVE_TASK_STATUSES),
        )
    ).scalar_one_or_none()
