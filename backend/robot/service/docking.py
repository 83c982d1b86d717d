"""Docking of idle robots whose battery is low."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.robot.schemas.bridges import ErrorLevel
from backend.robot.service import telemetry
from backend.shared.domain import commands, route_graph
from backend.shared.domain.route_graph import GraphWaypoint, RouteGraph
from backend.shared.infra import clock, config, database
from backend.shared.models import (
    ACTIVE_COMMAND_STATUSES,
    MOTION_COMMAND_TYPES,
    CommandStatus,
    CommandType,
    Robot,
    RobotCommand,
    WaypointKind,
)

_COMMAND_TIMEOUT = timedelta(minutes=30)
_DOCKING_FAILED = "DOCKING_FAILED"
_FAILED = frozenset({CommandStatus.FAILED, CommandStatus.REFUSED})


def dock_low_battery(session: Session) -> None:
    """Issue the next command towards a dock to each idle robot with a low battery."""
    low = select(Robot.id).where(
        commands.is_idle(),
        Robot.battery_level < config.robots().battery_low,
        Robot.docked.is_(False),
    )
    database.run_each(session.execute(low.order_by(Robot.id)).scalars().all(), _dock_idle)


def _dock_idle(session: Session, robot_id: UUID) -> None:
    """Send a robot to a dock unless it is busy by now or locked."""
    robot = session.execute(
        select(Robot)
        .where(Robot.id == robot_id, commands.is_idle())
        .with_for_update(of=Robot, skip_locked=True)
    ).scalar_one_or_none()
    if robot is not None:
        drive_to_dock(session, robot)


def report_failures(session: Session, robot: Robot) -> None:
    """Store an error when the last commands towards a dock failed, as many as a drive is tried."""
    attempts = config.workflow().command_attempts
    last = session.execute(
        select(RobotCommand.status, RobotCommand.task_id)
        .where(RobotCommand.robot_id == robot.id, RobotCommand.type.in_(MOTION_COMMAND_TYPES))
        .order_by(RobotCommand.seq.desc())
        .limit(attempts)
    ).all()
    failed = [row for row in last if row.task_id is None and row.status in _FAILED]
    if len(failed) == attempts:
        message = "It cannot dock: its last drives to a dock have failed."
        telemetry.add_error(session, robot, _DOCKING_FAILED, ErrorLevel.URGENT, message)


def drive_to_dock(session: Session, robot: Robot) -> bool:
    """Issue the robot's next command towards a dock; False without a pose or a free dock.

    The robot must be locked.
    """
    graph = route_graph.current(session)
    here = graph.nearest(robot.pose)
    if here is None:
        return False
    if here.kind is WaypointKind.DOCK and robot.current_location == here.name:
        _enqueue(session, robot, CommandType.DOCK, here, {"waypoint": here.as_payload()})
        return True
    dock = _nearest_free_dock(session, graph, here)
    if dock is None:
        return False
    payload = {
        "waypoint": dock.as_payload(),
        "route": [place.as_payload() for place in graph.route(here.id, dock.id)],
        "task": None,
        "loading_proof_id": None,
    }
    _enqueue(session, robot, CommandType.NAVIGATE, dock, payload)
    return True


def _nearest_free_dock(
    session: Session, graph: RouteGraph, here: GraphWaypoint
) -> GraphWaypoint | None:
    occupied = set(_occupied_docks(session))
    docks = [
        (length, dock)
        for dock in graph.of_kind(WaypointKind.DOCK)
        if dock.name not in occupied and (length := graph.length(here.id, dock.id)) < float("inf")
    ]
    return min(docks, key=lambda reachable: reachable[0])[1] if docks else None


def _occupied_docks(session: Session) -> Iterator[str]:
    """Names of waypoints that a robot is at or on its way to."""
    locations = session.execute(
        select(Robot.current_location).where(Robot.retired_at.is_(None))
    ).scalars()
    yield from filter(None, locations)
    under_way = session.execute(
        select(RobotCommand.payload).where(
            RobotCommand.type.in_(MOTION_COMMAND_TYPES),
            RobotCommand.status.in_(ACTIVE_COMMAND_STATUSES),
        )
    ).scalars()
    for payload in under_way:
        yield payload.get("waypoint", {}).get("name", "")


def _enqueue(
    session: Session, robot: Robot, kind: CommandType, dock: GraphWaypoint, payload: dict[str, Any]
) -> None:
    commands.enqueue(
        session,
        robot,
        RobotCommand(
            type=kind,
            target_waypoint_id=dock.id,
            payload=payload,
            deadline=clock.now() + _COMMAND_TIMEOUT,
        ),
    )
