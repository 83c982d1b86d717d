"""Idle robots whose battery runs low are sent to a free dock, and told to dock there."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.shared.domain import commands, route_graph
from backend.shared.domain.route_graph import Place, RouteGraph
from backend.shared.infra import clock, config
from backend.shared.models import (
    ACTIVE_COMMAND_STATUSES,
    MOTION_COMMAND_TYPES,
    CommandType,
    Robot,
    RobotCommand,
    WaypointKind,
)

_PATIENCE = timedelta(minutes=30)


def dock_low_battery(session: Session) -> None:
    """Give each idle robot below the low mark its next command towards a dock."""
    low = session.execute(
        select(Robot)
        .where(
            commands.is_assignable(),
            Robot.battery_level < config.robots().battery_low,
            Robot.docked.is_(False),
        )
        .order_by(Robot.id)
        .with_for_update(of=Robot, skip_locked=True)
    ).scalars()
    places = route_graph.current(session)
    for robot in low.all():
        here = places.nearest(robot.pose)
        if here is None:
            continue
        if here.kind is WaypointKind.DOCK and robot.current_location == here.name:
            _command(session, robot, CommandType.DOCK, here, {"waypoint": here.as_payload()})
        elif (dock := _nearest_free(session, places, here)) is not None:
            route = [place.as_payload() for place in places.route(here.id, dock.id)]
            payload = {
                "waypoint": dock.as_payload(),
                "route": route,
                "task": None,
                "loading_proof_id": None,
            }
            _command(session, robot, CommandType.NAVIGATE, dock, payload)


def _nearest_free(session: Session, places: RouteGraph, here: Place) -> Place | None:
    taken = set(_taken(session))
    docks = [
        (length, dock)
        for dock in places.of_kind(WaypointKind.DOCK)
        if dock.name not in taken and (length := places.length(here.id, dock.id)) < float("inf")
    ]
    return min(docks, key=lambda found: found[0])[1] if docks else None


def _taken(session: Session) -> Iterator[str]:
    """Names of docks that a robot stands at or is on its way to."""
    standing = session.execute(
        select(Robot.current_location).where(Robot.retired_at.is_(None))
    ).scalars()
    yield from filter(None, standing)
    under_way = session.execute(
        select(RobotCommand.payload).where(
            RobotCommand.type.in_(MOTION_COMMAND_TYPES),
            RobotCommand.status.in_(ACTIVE_COMMAND_STATUSES),
        )
    ).scalars()
    for payload in under_way:
        yield payload.get("waypoint", {}).get("name", "")


def _command(
    session: Session, robot: Robot, kind: CommandType, dock: Place, payload: dict[str, Any]
) -> None:
    commands.enqueue(
        session,
        robot,
        RobotCommand(
            type=kind,
            target_waypoint_id=dock.id,
            payload=payload,
            deadline=clock.now() + _PATIENCE,
        ),
    )
