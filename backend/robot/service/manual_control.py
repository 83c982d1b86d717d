"""Robots by hand: to the dock, hold, go on, say something."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.robot.service import docking, registry
from backend.robot.service.telemetry import publish_freed
from backend.shared.domain import audit, commands, stop_latches
from backend.shared.errors import Conflict, RobotStopped, RobotUnavailable
from backend.shared.infra import clock, database
from backend.shared.models import CommandType, DeliveryTask, Robot, RobotCommand

_COMMAND_TIMEOUT = timedelta(minutes=1)


def dock(session: Session, robot_id: UUID, by: UUID) -> None:
    """Send a robot without a task to its dock; Conflict while it has a task or a command."""
    robot = registry.get(session, robot_id)
    if robot.docked:
        return
    _ensure_able(session, robot)
    is_idle = select(Robot.id).where(Robot.id == robot_id, commands.is_idle())
    if session.execute(is_idle).scalar_one_or_none() is None:
        raise Conflict("The robot has a task or a command. Wait for it, or take it off.")
    if not docking.drive_to_dock(session, robot):
        raise RobotUnavailable("There is no free dock that the robot can reach.")
    _audit(session, robot, by, "robot.dock")


def pause(session: Session, robot_id: UUID, by: UUID) -> None:
    """Hold a robot where it is; it keeps its task and gets no further command to move.

    RobotUnavailable when its bridge states that it cannot pause.
    """
    robot = registry.get(session, robot_id)
    if robot.paused_at is not None:
        return
    _ensure_capable(robot, "pause")
    robot.paused_at, robot.paused_by = clock.now(), by
    _enqueue(session, robot, CommandType.PAUSE, {})
    _audit(session, robot, by, "robot.pause")


def resume_task(session: Session, robot_id: UUID, by: UUID) -> None:
    """Let a robot go on: after a pause, or after its drive has failed.

    RobotStopped while it is under an emergency stop.
    """
    task_id = commands.active_task_id(session, robot_id)
    task = database.row_lock(session, DeliveryTask, task_id) if task_id is not None else None
    robot = registry.get(session, robot_id)
    if stop_latches.is_robot_stopped(session, robot_id):
        raise RobotStopped
    was_paused = robot.paused_at is not None
    if was_paused:
        robot.paused_at = robot.paused_by = None
        _enqueue(session, robot, CommandType.RESUME, {})
        publish_freed(session, robot)
    has_command = commands.has_active_command(session, robot_id)
    if task is not None and commands.needs_navigation(task) and not has_command:
        commands.issue_navigation(session, task)
    elif not was_paused:
        return
    _audit(session, robot, by, "robot.resume_task")


def announce(session: Session, robot_id: UUID, by: UUID, text: str, sound: str | None) -> None:
    """Let a robot say something."""
    robot = registry.get(session, robot_id)
    _ensure_able(session, robot)
    _ensure_capable(robot, "say")
    _enqueue(session, robot, CommandType.ANNOUNCE, {"text": text, "sound": sound})
    _audit(session, robot, by, "robot.announce")


def _ensure_able(session: Session, robot: Robot) -> None:
    if stop_latches.is_robot_stopped(session, robot.id):
        raise RobotStopped
    if not commands.can_move(session, robot):
        raise RobotUnavailable("The robot is offline, paused, in maintenance or in error.")


def _ensure_capable(robot: Robot, capability: str) -> None:
    """Raise RobotUnavailable when the robot's bridge states that it lacks this."""
    if robot.capabilities.get(capability) is False:
        raise RobotUnavailable(f"Its bridge states that this robot cannot {capability}.")


def _enqueue(session: Session, robot: Robot, kind: CommandType, payload: dict[str, object]) -> None:
    commands.enqueue(
        session,
        robot,
        RobotCommand(type=kind, payload=payload, deadline=clock.now() + _COMMAND_TIMEOUT),
    )


def _audit(session: Session, robot: Robot, by: UUID, action: str) -> None:
    audit.record(session, actor_id=by, action=action, resource=("robot", robot.id))
