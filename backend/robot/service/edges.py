"""Edges closed for a time, by staff or by a robot that found its path blocked."""

import math
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session

from backend.robot.service import waypoints
from backend.shared.domain import audit, commands, eta, route_graph
from backend.shared.errors import NotFound, invalid
from backend.shared.events import EdgeClosed
from backend.shared.infra import clock, config, database
from backend.shared.messaging import outbox
from backend.shared.models import (
    ACTIVE_COMMAND_STATUSES,
    CommandType,
    DeliveryTask,
    EtaReason,
    Robot,
    RobotCommand,
    WaypointEdge,
)

_SMOOTHING = 0.2  # weight of the newest drive
_MIN_SECONDS = 1.0  # a shorter drive measures nothing
PATH_BLOCKED = "PATH_BLOCKED"  # how a robot's failed drive begins


def close(
    session: Session, edge_id: UUID, until: datetime | None, reason: str, by: UUID | None
) -> WaypointEdge:
    """Close an edge until then (None: for the set time); routes over it are planned anew."""
    edge = _lock(session, edge_id)
    until = until or clock.now() + config.robots().edge_closing
    if until <= clock.now():
        raise invalid("until", "must be in the future")
    edge.closed_until, edge.closed_reason = until, reason
    waypoints.raise_map_version(session)
    _audit(session, by, edge, "map.close_edge", reason)
    outbox.publish(session, EdgeClosed(edge_id=edge.id, closed_until=until, reason=reason))
    return edge


def open_again(session: Session, edge_id: UUID, by: UUID) -> WaypointEdge:
    """Open a closed edge."""
    edge = _lock(session, edge_id)
    if edge.closed_until is not None:
        edge.closed_until = edge.closed_reason = None
        waypoints.raise_map_version(session)
        _audit(session, by, edge, "map.open_edge", None)
    return edge


def _lock(session: Session, edge_id: UUID) -> WaypointEdge:
    waypoints.lock_map(session)
    edge = database.row_lock_or_none(session, WaypointEdge, edge_id)
    if edge is None:
        raise NotFound("Edge not found.")
    return edge


def close_blocked(session: Session, pose: dict[str, Any] | None, route: list[Any]) -> bool:
    """Close the edge of the route at which the robot stands, if another way leads to the end."""
    if pose is None or len(route) < 2:  # noqa: PLR2004 (an edge has two ends)
        return False
    legs = list(pairwise(route))
    start, end = min(legs, key=lambda leg: _distance(pose, leg))
    ends = (UUID(start["id"]), UUID(end["id"]))
    edge = (
        session.execute(
            select(WaypointEdge).where(WaypointEdge.from_id.in_(ends), WaypointEdge.to_id.in_(ends))
        )
        .scalars()
        .first()
    )
    graph = route_graph.current(session)
    if edge is None or not graph.has_way_around(ends, UUID(route[-1]["id"])):
        return False
    close(session, edge.id, None, PATH_BLOCKED, None)
    return True


def _distance(pose: dict[str, Any], leg: tuple[Any, Any]) -> float:
    """Return the metres from the pose to the straight line between both ends of the leg."""
    start, end = leg
    ahead = (end["x"] - start["x"], end["y"] - start["y"])
    offset = (pose["x"] - start["x"], pose["y"] - start["y"])
    squared = ahead[0] ** 2 + ahead[1] ** 2
    share = (offset[0] * ahead[0] + offset[1] * ahead[1]) / squared if squared else 0.0
    share = min(1.0, max(0.0, share))
    return math.hypot(offset[0] - share * ahead[0], offset[1] - share * ahead[1])


def replan(session: Session, edge_id: UUID) -> None:
    """Issue the drives whose planned route has the edge anew, one robot at a time."""
    edge = session.get(WaypointEdge, edge_id)
    if edge is None:
        return
    ends = {str(edge.from_id), str(edge.to_id)}
    drives = session.execute(
        select(RobotCommand.task_id, RobotCommand.payload).where(
            RobotCommand.type == CommandType.NAVIGATE,
            RobotCommand.task_id.is_not(None),
            RobotCommand.status.in_(ACTIVE_COMMAND_STATUSES),
        )
    ).all()
    for task_id, payload in drives:
        route = [place["id"] for place in payload.get("route", [])]
        if any({start, end} == ends for start, end in pairwise(route)):
            with database.transaction() as own:
                task = database.row_lock_or_skip(own, DeliveryTask, task_id)
                if task is not None and commands.needs_navigation(task):
                    _drive_around(own, task)


def _drive_around(session: Session, task: DeliveryTask) -> None:
    """Issue the drive anew, and say that it takes longer when it does."""
    if commands.issue_navigation(session, task) is not None:
        robot = session.get_one(Robot, task.assigned_robot_id)
        eta.say_for_robot(session, task, robot, EtaReason.DETOUR)


def record_speed(session: Session, command: RobotCommand) -> None:
    """Blend the speed of a finished drive into that of each edge of its route."""
    route = [UUID(place["id"]) for place in command.payload.get("route", [])]
    legs = list(pairwise(route))
    if not legs or command.started_at is None or command.finished_at is None:
        return
    seconds = (command.finished_at - command.started_at).total_seconds()
    graph = route_graph.current(session)
    metres = math.fsum(graph.length(start, end) for start, end in legs)
    if seconds < _MIN_SECONDS or not math.isfinite(metres):
        return
    driving = seconds - graph.pauses(legs)
    measured = metres / (driving if driving >= _MIN_SECONDS else seconds)
    unlocked = (
        select(WaypointEdge.id)
        .where(
            tuple_(WaypointEdge.from_id, WaypointEdge.to_id).in_(legs)
            | tuple_(WaypointEdge.to_id, WaypointEdge.from_id).in_(legs)
        )
        .with_for_update(skip_locked=True)
    )
    known = func.coalesce(WaypointEdge.measured_speed, measured)
    session.execute(
        update(WaypointEdge)
        .where(WaypointEdge.id.in_(unlocked))
        .values(measured_speed=(1 - _SMOOTHING) * known + _SMOOTHING * measured)
    )


def _audit(
    session: Session, by: UUID | None, edge: WaypointEdge, action: str, reason: str | None
) -> None:
    audit.record(
        session,
        actor_id=by,
        action=action,
        resource=("edge", edge.id),
        changes={"reason": reason},
    )
