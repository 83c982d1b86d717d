"""Emergency stop and resume: one transaction, no queue (robot-protocol.md §4).

A stop sets the robot's latch, raises the version that bridges wait for, voids every command and
notifies the stop poll at commit. Tasks keep their stage; their commands are issued anew on resume.
"""

from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from backend.robot.schemas.bridges import StopOrder
from backend.robot.schemas.emergency_stops import StoppedRobotRead, StopRead
from backend.shared.domain import audit
from backend.shared.errors import NotFound
from backend.shared.events import (
    RobotResumed,
    RobotStopConfirmed,
    RobotStopRequested,
    RobotStopUnconfirmed,
)
from backend.shared.infra import clock, commit_hooks, config, database
from backend.shared.messaging import channels, outbox
from backend.shared.models import (
    ACTIVE_COMMAND_STATUSES,
    CommandStatus,
    Connectivity,
    FleetState,
    Robot,
    RobotCommand,
    StopReport,
    StopScope,
    StopState,
)


def _next_version(session: Session) -> int:
    return int(session.execute(text("SELECT nextval('stop_versions')")).scalar_one())


def _lock(session: Session, robot_id: UUID | None) -> list[Robot]:
    """Lock the robot, or all; always in the same order, so that two stops can't deadlock."""
    statement = select(Robot).where(Robot.retired_at.is_(None)).order_by(Robot.id).with_for_update()
    if robot_id is not None:
        statement = statement.where(Robot.id == robot_id)
    robots = list(session.execute(statement).scalars())
    if robot_id is not None and not robots:
        raise NotFound("Robot not found.")
    return robots


def stop(session: Session, robot_id: UUID | None, by: UUID, reason: str | None) -> StopRead:
    """Stop one robot, or all and those registered later. May be repeated."""
    version = _next_version(session)
    if robot_id is None:
        session.execute(
            update(FleetState).values(
                stop_version=version, stopped_at=clock.now(), stopped_by=by, stop_reason=reason
            )
        )
    robots = _lock(session, robot_id)
    scope = StopScope.FLEET if robot_id is None else StopScope.ROBOT
    for robot in robots:
        # A robot that was stopped alone stays stopped when the fleet is resumed.
        alone = robot.stopped_at is not None and robot.stop_scope is StopScope.ROBOT
        _latch(robot, version, by, reason, StopScope.ROBOT if alone else scope)
        database.on_commit(session, commit_hooks.Publish(channels.stop_channel(robot.id)))
    _void_commands(session, robots)
    session.flush()
    for robot in robots:
        outbox.publish(
            session,
            RobotStopRequested(
                robot_id=robot.id,
                robot_name=robot.robot_name,
                stop_version=version,
                reason=reason,
                by=by,
            ),
        )
    audit.record(
        session,
        actor_id=by,
        action="robot.stop",
        resource=("robot", robot_id),
        changes={"reason": reason, "stop_version": version},
    )
    stopped = [StoppedRobotRead(id=robot.id, state=_state_of(robot)) for robot in robots]
    return StopRead(stop_version=version, robots=stopped)


def _latch(robot: Robot, version: int, by: UUID, reason: str | None, scope: StopScope) -> None:
    robot.stop_version = version
    robot.stopped_at = clock.now()
    robot.stopped_by = by
    robot.stop_reason = reason
    robot.stop_scope = scope
    robot.stop_received_at = robot.motion_stopped_at = robot.stop_alerted_at = None


def _void_commands(session: Session, robots: list[Robot]) -> None:
    session.execute(
        update(RobotCommand)
        .where(
            RobotCommand.robot_id.in_([robot.id for robot in robots]),
            RobotCommand.status.in_(ACTIVE_COMMAND_STATUSES),
        )
        .values(status=CommandStatus.VOID, finished_at=clock.now(), result="emergency stop")
    )


def _state_of(robot: Robot) -> StopState:
    """The state of the robot's current stop."""
    if robot.motion_stopped_at is not None:
        return StopState.MOTION_STOPPED
    if robot.stop_received_at is not None:
        return StopState.RECEIVED
    if robot.connectivity in {Connectivity.OFFLINE, Connectivity.NEVER_SEEN}:
        return StopState.UNREACHABLE
    return StopState.REQUESTED


def apply_fleet_stop(session: Session, robot: Robot) -> None:
    """Stop a newly registered robot if the fleet is stopped."""
    state = session.execute(select(FleetState).with_for_update(read=True)).scalar_one()
    if state.stopped_at is not None and state.stopped_by is not None:
        _latch(robot, state.stop_version, state.stopped_by, state.stop_reason, StopScope.FLEET)


def resume(session: Session, robot_id: UUID | None, by: UUID, reason: str) -> list[UUID]:
    """Lift the stop of one robot, or of the fleet; the ids of the resumed robots.

    Resuming the fleet does not resume robots that were stopped alone.
    """
    version = _next_version(session)
    if robot_id is None:
        session.execute(
            update(FleetState).values(
                stop_version=version, stopped_at=None, stopped_by=None, stop_reason=None
            )
        )
    resumed = [
        robot
        for robot in _lock(session, robot_id)
        if robot.stopped_at is not None
        and (robot_id is not None or robot.stop_scope is StopScope.FLEET)
    ]
    for robot in resumed:
        robot.stop_version = version
        robot.stopped_at = robot.stopped_by = robot.stop_reason = robot.stop_scope = None
        database.on_commit(session, commit_hooks.Publish(channels.stop_channel(robot.id)))
    session.flush()
    for robot in resumed:
        outbox.publish(
            session,
            RobotResumed(robot_id=robot.id, robot_name=robot.robot_name, reason=reason, by=by),
        )
    audit.record(
        session,
        actor_id=by,
        action="robot.resume",
        resource=("robot", robot_id),
        changes={"reason": reason, "robots": [str(robot.id) for robot in resumed]},
    )
    return [robot.id for robot in resumed]


def confirm(session: Session, robot_id: UUID, version: int, report: StopReport) -> int:
    """Record a bridge's confirmation; the current version. Of an older stop it has no effect."""
    robot = database.row_lock(session, Robot, robot_id)
    if robot.stop_version != version or robot.stopped_at is None:
        return robot.stop_version
    robot.stop_received_at = robot.stop_received_at or clock.now()
    if report is StopReport.MOTION_STOPPED and robot.motion_stopped_at is None:
        robot.motion_stopped_at = clock.now()
        session.flush()
        outbox.publish(
            session,
            RobotStopConfirmed(
                robot_id=robot.id, robot_name=robot.robot_name, stop_version=version
            ),
        )
    return robot.stop_version


def alert_unconfirmed(session: Session) -> None:
    """Alert staff, once, about each stop that was not confirmed in time."""
    late = clock.now() - config.robots().stop_confirmation
    robots = session.execute(
        select(Robot)
        .where(
            Robot.stopped_at < late,
            Robot.motion_stopped_at.is_(None),
            Robot.stop_alerted_at.is_(None),
            Robot.retired_at.is_(None),
        )
        .with_for_update(skip_locked=True)
    ).scalars()
    for robot in robots.all():
        robot.stop_alerted_at = clock.now()
        session.flush()
        outbox.publish(
            session,
            RobotStopUnconfirmed(
                robot_id=robot.id, robot_name=robot.robot_name, stop_version=robot.stop_version
            ),
        )


def get_order(session: Session, robot_id: UUID) -> StopOrder:
    """Whether the robot must stand still, and since which version."""
    row = session.execute(
        select(Robot.stop_version, Robot.stopped_at, Robot.stop_reason).where(Robot.id == robot_id)
    ).one()
    return StopOrder(
        stop_version=row.stop_version,
        stopped=row.stopped_at is not None,
        reason=row.stop_reason,
    )
