"""Statements of the robot service."""

from uuid import UUID

from sqlalchemy import case, func, select, tuple_

from backend.shared.infra import clock
from backend.shared.models import (
    ACTIVE_TASK_STATUSES,
    PRIORITY_RANK,
    Connectivity,
    DeliveryTask,
    Robot,
    RobotError,
    TaskStatus,
    Waypoint,
)
from backend.shared.web.pagination import AnySelect, HotList

SERVING_ORDER = (
    case(PRIORITY_RANK, value=DeliveryTask.priority),
    DeliveryTask.created_at,
    DeliveryTask.id,
)
ROBOT_SORT_COLUMNS = {"robot_name": Robot.robot_name, "created_at": Robot.created_at}


def robots(robot_id: UUID | None = None) -> AnySelect:
    """Robots that are not retired, with their current task and stop state."""
    task = (
        select(DeliveryTask.id)
        .where(
            DeliveryTask.assigned_robot_id == Robot.id,
            DeliveryTask.status.in_(ACTIVE_TASK_STATUSES),
        )
        .limit(1)
        .scalar_subquery()
    )
    stop_state = case(
        (Robot.stopped_at.is_(None), None),
        (Robot.motion_stopped_at.is_not(None), "MOTION_STOPPED"),
        (Robot.stop_received_at.is_not(None), "RECEIVED"),
        (Robot.connectivity.in_([Connectivity.OFFLINE, Connectivity.NEVER_SEEN]), "UNREACHABLE"),
        else_="REQUESTED",
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
        Robot.speed,
        Robot.last_heartbeat,
        Robot.stopped_at.is_not(None).label("stopped"),
        Robot.stop_reason,
        stop_state.label("stop_state"),
        task.label("current_task_id"),
        Robot.software_version,
        Robot.created_at,
    ).where(Robot.retired_at.is_(None))
    return statement if robot_id is None else statement.where(Robot.id == robot_id)


ROBOTS = HotList(
    robots(),
    sorts=ROBOT_SORT_COLUMNS,
    default="robot_name",
    tiebreak=Robot.id,
    filters={"status": Robot.status},
)


# Serving order: tasks under way first, then waiting ones by priority and age.
TASK_SORT_COLUMNS = {
    "serving_order": tuple_(
        case((DeliveryTask.status.in_(ACTIVE_TASK_STATUSES), 0), else_=1), *SERVING_ORDER
    ),
    "created_at": DeliveryTask.created_at,
    "priority": SERVING_ORDER[0],
    "status": DeliveryTask.status,
}


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
