"""Selects of the delivery service."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    SQLColumnExpression,
    case,
    func,
    select,
    tuple_,
)
from sqlalchemy.orm import aliased

from backend.shared.domain import route_graph, waits
from backend.shared.models import (
    PRIORITY_RANK,
    Alert,
    Book,
    BookRequest,
    BookReturn,
    Copy,
    DeliveryTask,
    Robot,
    TaskHistory,
    TaskStatus,
    TaskType,
    User,
    Waypoint,
)
from backend.shared.web.pagination import AnySelect, HotList

MAX_QUEUE_SHOWN = 100  # to count a thousand cost a sixth of the statements of a new request
_EXPECTED = (
    DeliveryTask.waiting_reason,
    DeliveryTask.eta,
    DeliveryTask.eta_earliest,
    DeliveryTask.eta_latest,
    DeliveryTask.eta_reason,
)
_NOTES = (
    func.coalesce(BookRequest.notes, DeliveryTask.details["notes"].astext).label("notes"),
    DeliveryTask.details["to_shelf"].astext.label("to_shelf"),
)
_TIMES = (
    DeliveryTask.created_at,
    DeliveryTask.started_at,
    DeliveryTask.loaded_at,
    DeliveryTask.arrived_at,
    DeliveryTask.completed_at,
)
_TASK = (
    DeliveryTask.id.label("task_id"),
    DeliveryTask.reference,
    DeliveryTask.status.label("task_status"),
    DeliveryTask.stage,
    waits.since().label("waits_since"),
    DeliveryTask.extensions,
    *_EXPECTED,
    DeliveryTask.version.label("task_version"),
    DeliveryTask.assigned_robot_id,
    Robot.robot_name,
    Robot.pose.label("robot_pose"),
    Robot.stopped_at.is_not(None).label("robot_stopped"),
    Robot.last_heartbeat.label("robot_seen_at"),
)
SORT_TASKS: Mapping[str, SQLColumnExpression[Any]] = {
    "created_at": DeliveryTask.created_at,
    "priority": case(PRIORITY_RANK, value=DeliveryTask.priority),
    "status": DeliveryTask.status,
}


_REQUESTER, _CLAIMER, _RESOLVER = aliased(User), aliased(User), aliased(User)


def person(user: type[User]) -> ColumnElement[Any]:
    """Select a person's id and name as one object; null when there is none."""
    name = user.first_name + " " + user.last_name
    return case((user.id.is_not(None), func.json_build_object("id", user.id, "name", name)))


_PEOPLE = (
    DeliveryTask.recipient_id,
    person(_REQUESTER).label("requester"),
    person(_CLAIMER).label("claimed_by"),
)


def equal(*filters: tuple[SQLColumnExpression[Any], object]) -> list[ColumnElement[bool]]:
    """Compare each column with its value; a value of None is no filter."""
    return [column == value for column, value in filters if value is not None]


def requests() -> AnySelect:
    """Select requests with their book and task."""
    return (
        select(
            BookRequest.id,
            BookRequest.user_id,
            BookRequest.book_id,
            BookRequest.copy_id,
            Book.title.label("book_title"),
            BookRequest.request_location,
            BookRequest.waypoint_id,
            BookRequest.status,
            BookRequest.notes,
            BookRequest.cancel_reason,
            BookRequest.requested_at,
            BookRequest.completed_at,
            BookRequest.handover_code,
            *_TASK,
        )
        .join(Book, Book.id == BookRequest.book_id)
        .join(DeliveryTask, DeliveryTask.request_id == BookRequest.id)
        .outerjoin(Robot, Robot.id == DeliveryTask.assigned_robot_id)
    )


REQUESTS = HotList(
    requests(),
    sorts={"requested_at": BookRequest.requested_at, "status": BookRequest.status},
    default="-requested_at",
    tiebreak=BookRequest.id,
    filters={"user_id": BookRequest.user_id, "status": BookRequest.status},
)


def returns() -> AnySelect:
    """Select returns with their book and task."""
    return (
        select(
            BookReturn.id,
            BookReturn.user_id,
            BookReturn.book_id,
            BookReturn.loan_id,
            Book.title.label("book_title"),
            BookReturn.pickup_location,
            BookReturn.waypoint_id,
            BookReturn.status,
            BookReturn.cancel_reason,
            BookReturn.initiated_at,
            BookReturn.picked_up_at,
            BookReturn.completed_at,
            *_TASK,
        )
        .join(Book, Book.id == BookReturn.book_id)
        .join(DeliveryTask, DeliveryTask.return_id == BookReturn.id)
        .outerjoin(Robot, Robot.id == DeliveryTask.assigned_robot_id)
    )


def tasks() -> AnySelect:
    """Select delivery tasks."""
    return (
        select(
            DeliveryTask.id,
            DeliveryTask.reference,
            DeliveryTask.task_type,
            DeliveryTask.status,
            DeliveryTask.stage,
            DeliveryTask.priority,
            DeliveryTask.request_id,
            DeliveryTask.return_id,
            DeliveryTask.book_id,
            DeliveryTask.copy_id,
            Copy.barcode.label("copy_barcode"),
            Book.title.label("book_title"),
            DeliveryTask.source_location,
            DeliveryTask.destination_location,
            DeliveryTask.assigned_robot_id,
            Robot.robot_name,
            *_EXPECTED,
            DeliveryTask.attempt,
            DeliveryTask.failure_reason,
            DeliveryTask.book_location,
            *_PEOPLE,
            *_NOTES,
            DeliveryTask.version,
            *_TIMES,
        )
        .join(Copy, Copy.id == DeliveryTask.copy_id)
        .join(Book, Book.id == DeliveryTask.book_id)
        .outerjoin(Robot, Robot.id == DeliveryTask.assigned_robot_id)
        .outerjoin(BookRequest, BookRequest.id == DeliveryTask.request_id)
        .outerjoin(BookReturn, BookReturn.id == DeliveryTask.return_id)
        .outerjoin(
            _REQUESTER, _REQUESTER.id == func.coalesce(BookRequest.user_id, BookReturn.user_id)
        )
        .outerjoin(_CLAIMER, _CLAIMER.id == DeliveryTask.claimed_by)
    )


def alerts() -> AnySelect:
    """Select alerts with their task, robot and people."""
    return (
        select(
            Alert.id,
            Alert.kind,
            Alert.severity,
            Alert.message,
            Alert.reason,
            Alert.task_id,
            DeliveryTask.reference.label("task_reference"),
            Alert.robot_id,
            Robot.robot_name,
            Alert.count,
            Alert.first_at,
            Alert.last_at,
            person(_CLAIMER).label("claimed_by"),
            Alert.claimed_at,
            person(_RESOLVER).label("resolved_by"),
            Alert.resolved_at,
            Alert.resolution,
            Alert.version,
        )
        .outerjoin(DeliveryTask, DeliveryTask.id == Alert.task_id)
        .outerjoin(Robot, Robot.id == Alert.robot_id)
        .outerjoin(_CLAIMER, _CLAIMER.id == Alert.claimed_by)
        .outerjoin(_RESOLVER, _RESOLVER.id == Alert.resolved_by)
    )


def queue_ahead(task_id: UUID | BindParameter[UUID]) -> AnySelect:
    """Count the waiting tasks that were created earlier or have a higher priority."""
    own, other = aliased(DeliveryTask), aliased(DeliveryTask)
    own_rank, other_rank = (case(PRIORITY_RANK, value=each.priority) for each in (own, other))
    waiting = [TaskStatus.PENDING, TaskStatus.QUEUED]
    before = tuple_(other_rank, other.created_at) < tuple_(own_rank, own.created_at)
    ahead = select(other.id).join(own, other.status.in_(waiting) & before).where(own.id == task_id)
    return select(func.count()).select_from(ahead.limit(MAX_QUEUE_SHOWN).subquery())


def history(task_id: UUID | BindParameter[UUID]) -> AnySelect:
    """Select the status history of a task, oldest first."""
    return (
        select(
            TaskHistory.from_status,
            TaskHistory.to_status,
            TaskHistory.from_stage,
            TaskHistory.to_stage,
            TaskHistory.changed_by,
            TaskHistory.reason,
            TaskHistory.created_at,
        )
        .where(TaskHistory.task_id == task_id)
        .order_by(TaskHistory.id)
    )


def locations() -> AnySelect:
    """Select the active waypoints that robots serve."""
    return select(
        Waypoint.id,
        Waypoint.name,
        Waypoint.location_code,
        Waypoint.kind,
        Waypoint.floor,
        Waypoint.x_coordinate.label("x"),
        Waypoint.y_coordinate.label("y"),
    ).where(Waypoint.is_active, Waypoint.kind.notin_(route_graph.NOT_SERVED))


def pick_list() -> AnySelect:
    """Select the books that staff still have to fetch from the shelf."""
    # The check `stage_belongs_to_status` makes ASSIGNED the status of every task whose robot is
    # on its way or waits for the book. A condition on the status alone can use its index.
    before_loading = [TaskStatus.PENDING, TaskStatus.QUEUED, TaskStatus.ASSIGNED]
    is_before_loading = DeliveryTask.status.in_(before_loading)
    return (
        select(
            DeliveryTask.id.label("task_id"),
            DeliveryTask.reference,
            DeliveryTask.priority,
            DeliveryTask.status,
            DeliveryTask.stage,
            Book.title.label("book_title"),
            Book.author,
            Copy.barcode.label("copy_barcode"),
            Copy.shelf_location,
            Copy.call_number,
            DeliveryTask.source_location.label("bring_to"),
            Waypoint.floor,
            person(_CLAIMER).label("claimed_by"),
            Robot.robot_name,
            DeliveryTask.created_at,
            DeliveryTask.version,
        )
        .join(Copy, Copy.id == DeliveryTask.copy_id)
        .join(Book, Book.id == DeliveryTask.book_id)
        .join(Waypoint, Waypoint.id == DeliveryTask.source_waypoint_id)
        .outerjoin(_CLAIMER, _CLAIMER.id == DeliveryTask.claimed_by)
        .outerjoin(Robot, Robot.id == DeliveryTask.assigned_robot_id)
        .where(DeliveryTask.task_type != TaskType.RETURN_PICKUP, is_before_loading)
    )
