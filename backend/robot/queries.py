"""Statements of the robot service."""

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Float,
    Join,
    Numeric,
    SQLColumnExpression,
    bindparam,
    case,
    cast,
    false,
    func,
    null,
    select,
    type_coerce,
)
from sqlalchemy.orm import aliased, join, outerjoin

from backend.shared.domain import commands, stop_latches
from backend.shared.infra import clock, config
from backend.shared.infra.hot_reads import HotRead
from backend.shared.models import (
    ACTIVE_TASK_STATUSES,
    FLEET_LATCH,
    PRIORITY_RANK,
    Connectivity,
    DeliveryTask,
    Robot,
    RobotError,
    RobotStatusLog,
    StopLatch,
    TaskStatus,
    Waypoint,
)
from backend.shared.web.pagination import AnySelect, HotList

_ABOVE_ANY_TIME = 10**11  # seconds since 1970
_RANK = case(PRIORITY_RANK, value=DeliveryTask.priority)


def _aged_rank() -> SQLColumnExpression[Any]:
    """Return the rank after ageing, as `dispatch_policy.rank` computes it."""
    waited = func.extract("epoch", clock.now() - DeliveryTask.created_at)
    raised = func.floor(waited / config.workflow().priority_ageing.total_seconds())
    return func.greatest(0, _RANK - func.greatest(0, raised))


ROBOT_SORT_COLUMNS = {"robot_name": Robot.robot_name, "created_at": Robot.created_at}


# From the latches, which each select joins once: a robot's row may follow them later.
_OWN, _FLEET = aliased(StopLatch), aliased(StopLatch)
_IS_STOPPED = func.coalesce(_OWN.stopped, false()) | _FLEET.stopped
_FOLLOWS = Robot.stop_version == _OWN.version + _FLEET.version
_STOP_STATE = case(
    (~_IS_STOPPED, None),
    (_FOLLOWS & Robot.motion_stopped_at.is_not(None), "MOTION_STOPPED"),
    (_FOLLOWS & Robot.stop_received_at.is_not(None), "RECEIVED"),
    (Robot.connectivity.in_([Connectivity.OFFLINE, Connectivity.NEVER_SEEN]), "UNREACHABLE"),
    else_="REQUESTED",
)


def robots(robot_id: UUID | None = None) -> AnySelect:
    """Robots that are not retired, with their current task and stop state."""
    is_current = (DeliveryTask.assigned_robot_id == Robot.id) & DeliveryTask.status.in_(
        ACTIVE_TASK_STATUSES
    )
    statement = select(
        Robot.id,
        Robot.robot_name,
        Robot.model,
        Robot.status,
        Robot.connectivity,
        (Robot.connectivity == Connectivity.ONLINE).label("online"),
        Robot.current_location,
        Robot.pose,
        Robot.battery_level,
        Robot.charging,
        Robot.docked,
        cast(null(), Float).label("speed"),  # that of the last heartbeat is in its live copy alone
        Robot.last_heartbeat,
        Robot.paused_at.is_not(None).label("paused"),
        _IS_STOPPED.label("stopped"),
        Robot.stop_reason,
        _STOP_STATE.label("stop_state"),
        DeliveryTask.id.label("current_task_id"),
        Robot.software_version,
        Robot.capabilities,
        Robot.created_at,
    )
    statement = statement.select_from(outerjoin(_robots_with_latches(), DeliveryTask, is_current))
    statement = statement.where(Robot.retired_at.is_(None))
    return statement if robot_id is None else statement.where(Robot.id == robot_id)


def _robots_with_latches() -> Join:
    own = outerjoin(Robot, _OWN, _OWN.id == Robot.id)
    return join(own, _FLEET, _FLEET.id == FLEET_LATCH)


ROBOT = HotRead(robots().where(Robot.id == bindparam("robot_id")))
ROBOTS = HotList(
    robots(),
    sorts=ROBOT_SORT_COLUMNS,
    default="robot_name",
    tiebreak=Robot.id,
    filters={"status": Robot.status},
)


def _ranked_by_age(rank: SQLColumnExpression[Any]) -> SQLColumnExpression[Any]:
    """Return one number that sorts by rank, then by creation, so that a cursor can hold it."""
    seconds = func.extract("epoch", DeliveryTask.created_at)
    return type_coerce(rank * _ABOVE_ANY_TIME + seconds, Numeric)


def task_sorts() -> dict[str, SQLColumnExpression[Any]]:
    """Return the sorts of the task queue as of now.

    Serving order: tasks under way first, then waiting ones by priority with ageing, and by age.
    """
    waits = case((DeliveryTask.status.in_(ACTIVE_TASK_STATUSES), 0), else_=len(PRIORITY_RANK))
    return {
        "serving_order": _ranked_by_age(waits + _aged_rank()),
        "created_at": DeliveryTask.created_at,
        "priority": _ranked_by_age(_RANK),
        "status": DeliveryTask.status,
    }


@cache
def waiting_tasks() -> AnySelect:
    """Select what the dispatcher reads of the waiting tasks."""
    return select(
        DeliveryTask.id,
        DeliveryTask.status,
        DeliveryTask.priority,
        DeliveryTask.created_at,
        DeliveryTask.source_waypoint_id,
        DeliveryTask.destination_waypoint_id,
        DeliveryTask.waiting_reason,
        DeliveryTask.details["avoid_robot_id"].astext.label("avoid"),
    ).where(DeliveryTask.status.in_([TaskStatus.PENDING, TaskStatus.QUEUED]))


@cache
def dispatch_robots() -> AnySelect:
    """Select what the dispatcher reads of the robots."""
    return (
        select(
            Robot.id,
            Robot.pose,
            Robot.battery_level,
            Robot.charging,
            Robot.status,
            Robot.connectivity,
            stop_latches.is_stopped(Robot.id).label("stopped"),
            commands.is_assignable().label("assignable"),
        )
        .where(Robot.retired_at.is_(None))
        .order_by(Robot.id)
    )


def task_queue() -> AnySelect:
    """Open tasks, in any order."""
    return (
        select(
            DeliveryTask.id,
            DeliveryTask.reference,
            DeliveryTask.task_type,
            DeliveryTask.status,
            DeliveryTask.stage,
            DeliveryTask.priority,
            DeliveryTask.assigned_robot_id.label("robot_id"),
            Robot.robot_name,
            DeliveryTask.source_location,
            DeliveryTask.destination_location,
            DeliveryTask.waiting_reason,
            DeliveryTask.eta,
            DeliveryTask.created_at,
            func.round(func.extract("epoch", clock.now() - DeliveryTask.created_at), 1).label(
                "waiting_seconds"
            ),
        )
        .outerjoin(Robot, Robot.id == DeliveryTask.assigned_robot_id)
        .where(
            DeliveryTask.status.in_([TaskStatus.PENDING, TaskStatus.QUEUED, *ACTIVE_TASK_STATUSES])
        )
    )


def waypoints() -> AnySelect:
    return select(
        Waypoint.id,
        Waypoint.name,
        Waypoint.location_code,
        Waypoint.kind,
        Waypoint.floor,
        Waypoint.x_coordinate,
        Waypoint.y_coordinate,
        Waypoint.z_coordinate,
        Waypoint.theta,
        Waypoint.details.label("details"),
        Waypoint.is_active,
        Waypoint.created_at,
    ).where(Waypoint.is_active)


def errors_of(robot_id: UUID) -> AnySelect:
    return select(
        RobotError.id,
        RobotError.type,
        RobotError.level,
        RobotError.message,
        RobotError.task_id,
        RobotError.created_at,
    ).where(RobotError.robot_id == robot_id)


def status_logs_of(robot_id: UUID) -> AnySelect:
    return select(
        RobotStatusLog.id,
        RobotStatusLog.status,
        RobotStatusLog.connectivity,
        RobotStatusLog.location,
        RobotStatusLog.pose,
        RobotStatusLog.battery_level,
        RobotStatusLog.charging,
        RobotStatusLog.recorded_at,
    ).where(RobotStatusLog.robot_id == robot_id)


def between(
    column: SQLColumnExpression[datetime], since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    """Limit a time to `since` and later, and to before `until`."""
    limits = [] if since is None else [column >= since]
    return limits if until is None else [*limits, column < until]


def fleet_latch() -> AnySelect:
    """Select the emergency stop of the whole fleet; who, why and when only while it is latched."""
    return select(
        StopLatch.version.label("stop_version"),
        StopLatch.stopped.label("latched"),
        case((StopLatch.stopped, StopLatch.reason)).label("reason"),
        case((StopLatch.stopped, StopLatch.changed_by)).label("by"),
        case((StopLatch.stopped, StopLatch.changed_at)).label("at"),
    ).where(StopLatch.id == FLEET_LATCH)


def stopped() -> AnySelect:
    """Select the stopped robots."""
    robots = select(
        Robot.id,
        Robot.robot_name,
        _STOP_STATE.label("state"),
        func.coalesce(Robot.motion_stopped_at, Robot.stopped_at).label("at"),
    )
    return (
        robots.select_from(_robots_with_latches())
        .where(Robot.retired_at.is_(None), Robot.stopped_at.is_not(None))
        .order_by(Robot.robot_name)
    )
