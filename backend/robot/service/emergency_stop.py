"""Emergency stop and resume: one latch, no queue (robot-protocol.md §4).

A stop writes its latch and its event, and waits for no other row. Robots' rows and commands follow
(`stop_effects`). Tasks keep their stage; their commands are issued anew on resume.
"""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from backend.robot.schemas.emergency_stops import StoppedRobotRead, StopRead
from backend.shared.domain import stop_latches
from backend.shared.domain.stop_latches import Latch
from backend.shared.errors import NotFound, RobotStopped
from backend.shared.events import (
    OrderedRobot,
    RobotResumed,
    RobotStopConfirmed,
    RobotStopRequested,
    RobotStopUnconfirmed,
)
from backend.shared.infra import clock, config
from backend.shared.messaging import outbox
from backend.shared.models import (
    FLEET_LATCH,
    Connectivity,
    Robot,
    StopLatch,
    StopReport,
    StopState,
)


class _RobotRow(NamedTuple):
    """A robot that is ordered to stop or resume."""

    id: UUID
    robot_name: str
    connectivity: Connectivity
    stopped: bool


def stop(
    session: Session, robot_id: UUID | None, by: UUID, reason: str | None
) -> tuple[StopRead, Latch]:
    """Stop one robot, or all and those registered later. May be repeated."""
    robots = _robots(session, robot_id)
    latch = stop_latches.stop(session, robot_id or FLEET_LATCH, by, reason)
    version = stop_latches.read_version(session, robot_id or FLEET_LATCH)
    ordered = _ordered(robot_id, robots)
    outbox.publish(
        session, RobotStopRequested(**ordered, stop_version=version, reason=reason, by=by)
    )
    read = StopRead(
        stop_version=version,
        robots=[
            StoppedRobotRead(id=row.id, state=_first_state(row.connectivity)) for row in robots
        ],
    )
    return read, latch


def _robots(session: Session, robot_id: UUID | None) -> list[_RobotRow]:
    """Read the robot, or all, without a lock; NotFound when there is no such robot."""
    statement = (
        select(Robot.id, Robot.robot_name, Robot.connectivity, StopLatch.stopped)
        .join(StopLatch, StopLatch.id == Robot.id)
        .where(Robot.retired_at.is_(None))
        .order_by(Robot.id)
    )
    if robot_id is not None:
        statement = statement.where(Robot.id == robot_id)
    robots = [_RobotRow._make(row) for row in session.execute(statement)]
    if robot_id is not None and not robots:
        raise NotFound("Robot not found.")
    return robots


def _ordered(robot_id: UUID | None, robots: list[_RobotRow]) -> dict[str, Any]:
    """Name the robots of an order in the fields of its event."""
    return {
        "robot_id": robot_id,
        "robot_name": robots[0].robot_name if robot_id is not None else None,
        "robots": [OrderedRobot(robot_id=row.id, robot_name=row.robot_name) for row in robots],
    }


def _first_state(connectivity: Connectivity) -> StopState:
    if connectivity in {Connectivity.OFFLINE, Connectivity.NEVER_SEEN}:
        return StopState.UNREACHABLE
    return StopState.REQUESTED


def resume(
    session: Session, robot_id: UUID | None, by: UUID, reason: str
) -> tuple[list[UUID], Latch | None]:
    """Lift the stop of one robot, or of the fleet; the robots that may move again, and the latch.

    Resuming the fleet does not resume robots that were stopped alone. RobotStopped for one robot
    while the fleet is stopped.
    """
    robots = _robots(session, robot_id)
    if robot_id is not None and stop_latches.is_robot_stopped(session, FLEET_LATCH):
        raise RobotStopped("All robots are stopped. Resume all of them first.")
    latch = stop_latches.resume(session, robot_id or FLEET_LATCH, by, reason)
    if latch is None:
        return [], None
    resumed = [row for row in robots if robot_id is not None or not row.stopped]
    outbox.publish(session, RobotResumed(**_ordered(robot_id, resumed), reason=reason, by=by))
    return [row.id for row in resumed], latch


_RECEIVED = (
    update(Robot)
    .where(
        Robot.id == bindparam("robot"),
        Robot.stop_version == bindparam("version"),
        Robot.stopped_at.is_not(None),
    )
    .values(stop_received_at=func.coalesce(Robot.stop_received_at, bindparam("now")))
    .returning(Robot.robot_name)
)
_STANDING = (
    _RECEIVED.where(Robot.motion_stopped_at.is_(None))
    .values(motion_stopped_at=bindparam("now"))
    .returning(Robot.robot_name)
)
_FOLLOWED = select(Robot.stop_version).where(Robot.id == bindparam("robot"))


def confirm(session: Session, robot_id: UUID, version: int, report: StopReport) -> int | None:
    """Record a bridge's confirmation; the current version. Of an older stop it has no effect.

    None while the robot's row has not followed its latch: nothing is recorded.
    """
    current = stop_latches.read_version(session, robot_id)
    if version != current or _record(session, robot_id, version, report):
        return current
    followed = session.connection().execute(_FOLLOWED, {"robot": robot_id}).scalar_one()
    if followed != version:
        return None
    _record(session, robot_id, version, report)  # it has followed just now, or this is a repeat
    return current


def _record(session: Session, robot_id: UUID, version: int, report: StopReport) -> bool:
    """Record the report on the robot's row; False when that row is not of this version."""
    statement = _STANDING if report is StopReport.MOTION_STOPPED else _RECEIVED
    parameters = {"robot": robot_id, "version": version, "now": clock.now()}
    name = session.connection().execute(statement, parameters).scalar_one_or_none()
    if name is not None and report is StopReport.MOTION_STOPPED:
        outbox.publish(
            session, RobotStopConfirmed(robot_id=robot_id, robot_name=name, stop_version=version)
        )
    return name is not None


def alert_unconfirmed(session: Session) -> None:
    """Alert staff, once, about stops that were not confirmed in time: one event for all of them."""
    late = (
        select(Robot.id)
        .where(
            Robot.stopped_at < clock.now() - config.robots().stop_confirmation,
            Robot.motion_stopped_at.is_(None),
            Robot.stop_alerted_at.is_(None),
            Robot.retired_at.is_(None),
        )
        .order_by(Robot.id)
        .with_for_update(skip_locked=True)
    )
    alerted = session.execute(
        update(Robot)
        .where(Robot.id.in_(late))
        .values(stop_alerted_at=clock.now())
        .returning(Robot.id, Robot.robot_name, Robot.stop_version)
    ).all()
    if not alerted:
        return
    robots = [OrderedRobot(robot_id=row.id, robot_name=row.robot_name) for row in alerted]
    outbox.publish(
        session,
        RobotStopUnconfirmed(
            robot_id=robots[0].robot_id if len(robots) == 1 else None,
            robot_name=", ".join(sorted(robot.robot_name for robot in robots)),
            robots=robots,
            stop_version=max(row.stop_version for row in alerted),
        ),
    )
