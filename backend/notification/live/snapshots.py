"""Read the present state of a topic, with its `pos`, in one repeatable-read transaction."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, text
from sqlalchemy.orm import Session

from backend.notification import queries
from backend.notification.live.connection_user import ConnectionUser
from backend.shared.domain import waits
from backend.shared.models import (
    CLOSED_STATUSES,
    Alert,
    Book,
    BookRequest,
    BookReturn,
    Connectivity,
    Copy,
    DeliveryTask,
    ImportJob,
    LivePosition,
    Loan,
    Robot,
    TaskStatus,
)

Data = dict[str, Any]
Rows = Select[*tuple[Any, ...]]
_MAX_ROWS = 200
_LIMITS = {"notifications": 50}  # of lists with another limit
_TASK = (
    DeliveryTask.id,
    DeliveryTask.reference,
    DeliveryTask.task_type,
    DeliveryTask.status,
    DeliveryTask.stage,
    DeliveryTask.priority,
    DeliveryTask.request_id,
    DeliveryTask.return_id,
    DeliveryTask.book_id,
    Book.title.label("book_title"),
    DeliveryTask.copy_id,
    DeliveryTask.source_location,
    DeliveryTask.destination_location,
    DeliveryTask.assigned_robot_id,
    Robot.robot_name,
    DeliveryTask.waiting_reason,
    DeliveryTask.claimed_by,
    DeliveryTask.eta,
    DeliveryTask.eta_earliest,
    DeliveryTask.eta_latest,
    DeliveryTask.eta_reason,
    DeliveryTask.attempt,
    DeliveryTask.failure_reason,
    DeliveryTask.created_at,
)
_REQUEST = (
    BookRequest.id,
    BookRequest.book_id,
    Book.title.label("book_title"),
    BookRequest.copy_id,
    BookRequest.request_location,
    BookRequest.status,
    BookRequest.notes,
    BookRequest.cancel_reason,
    BookRequest.requested_at,
    BookRequest.completed_at,
)
_RETURN = (
    BookReturn.id,
    BookReturn.book_id,
    Book.title.label("book_title"),
    BookReturn.loan_id,
    BookReturn.pickup_location,
    BookReturn.status,
    BookReturn.cancel_reason,
    BookReturn.initiated_at,
    BookReturn.picked_up_at,
    BookReturn.completed_at,
)
_ROBOT = (
    Robot.id,
    Robot.robot_name,
    Robot.status,
    Robot.connectivity,
    Robot.current_location,
    Robot.pose,
    Robot.battery_level,
    Robot.charging,
    Robot.docked,
    Robot.last_heartbeat,
    Robot.stopped_at,
    Robot.stop_reason,
)
_ALERT = (
    Alert.id,
    Alert.kind,
    Alert.severity,
    Alert.message,
    Alert.task_id,
    Alert.robot_id,
    Alert.count,
    Alert.first_at,
    Alert.last_at,
    Alert.claimed_by,
)
_IMPORT = (
    ImportJob.id,
    ImportJob.state,
    ImportJob.file_name,
    ImportJob.total,
    ImportJob.processed,
    ImportJob.created,
    ImportJob.updated,
    ImportJob.unchanged,
    ImportJob.failed,
    ImportJob.warnings,
    ImportJob.problem,
)


def begin_transaction(session: Session) -> int:
    """Start the transaction; return the position up to which it sees all events.

    The relay assigns an event's position after the event's change is committed, so every event
    up to this position is seen here, and every later one is published later.
    """
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    return session.execute(select(LivePosition.pos)).scalar_one()


def _lists(session: Session, **statements: Rows) -> Data:
    """Read lists, each up to its limit; `truncated` says whether one of them has more rows."""
    found: Data = {"truncated": False}
    for name, statement in statements.items():
        limit = _LIMITS.get(name, _MAX_ROWS)
        rows = [dict(row) for row in session.execute(statement.limit(limit + 1)).mappings()]
        found[name] = rows[:limit]
        found["truncated"] |= len(rows) > limit
    return found


def _row(session: Session, statement: Rows) -> Data | None:
    row = session.execute(statement).mappings().one_or_none()
    return dict(row) if row is not None else None


def _tasks(*where: ColumnElement[bool]) -> Rows:
    return (
        select(*_TASK)
        .join(Book, Book.id == DeliveryTask.book_id)
        .outerjoin(Robot, Robot.id == DeliveryTask.assigned_robot_id)
        .where(*where)
        .order_by(DeliveryTask.created_at, DeliveryTask.id)
    )


def _task_of(session: Session, condition: ColumnElement[bool]) -> Data | None:
    """Read the task of a request or return, with its robot's position."""
    statement = _tasks(condition).add_columns(
        Robot.pose.label("robot_position"),
        Robot.current_location.label("robot_location"),
        Robot.stopped_at.is_not(None).label("stopped"),
        Robot.last_heartbeat.label("robot_seen_at"),
        waits.since().label("waits_since"),
        DeliveryTask.extensions,
    )
    found = _row(session, statement)
    if found is not None:
        since, extensions = found.pop("waits_since"), found.pop("extensions")
        found["wait_until"] = waits.until(found["stage"], since, extensions)
    return found


def _requests(*where: ColumnElement[bool]) -> Rows:
    return select(*_REQUEST).join(Book, Book.id == BookRequest.book_id).where(*where)


def _returns(*where: ColumnElement[bool]) -> Rows:
    return select(*_RETURN).join(Book, Book.id == BookReturn.book_id).where(*where)


def me(session: Session, user: ConnectionUser, _resource_id: UUID | None) -> Data:
    """Latest 50 unread notifications; open requests, returns and loans."""
    unread = queries.own(user.user_id, is_read=False).order_by(queries.SORTS["created_at"].desc())
    loans = (
        select(
            Loan.id,
            Loan.copy_id,
            Copy.book_id,
            Book.title.label("book_title"),
            Loan.borrowed_at,
            Loan.due_at,
            Loan.renewals,
        )
        .join(Copy, Copy.id == Loan.copy_id)
        .join(Book, Book.id == Copy.book_id)
        .where(Loan.user_id == user.user_id, Loan.returned_at.is_(None))
        .order_by(Loan.due_at)
    )
    open_requests = BookRequest.status.not_in(CLOSED_STATUSES)
    open_returns = BookReturn.status.not_in(CLOSED_STATUSES)
    return {
        "unread": session.execute(queries.UNREAD.statement, {"user_id": user.user_id}).scalar_one(),
        **_lists(
            session,
            notifications=unread,
            requests=_requests(BookRequest.user_id == user.user_id, open_requests),
            returns=_returns(BookReturn.user_id == user.user_id, open_returns),
            loans=loans,
        ),
    }


def request(session: Session, user: ConnectionUser, resource_id: UUID | None) -> Data | None:
    """One request with its task; only `GET /requests/{id}` shows the hand-over code."""
    own = [] if user.is_staff else [BookRequest.user_id == user.user_id]
    found = _row(session, _requests(BookRequest.id == resource_id, *own))
    if found is None:
        return None
    return {**found, "task": _task_of(session, DeliveryTask.request_id == resource_id)}


def book_return(session: Session, user: ConnectionUser, resource_id: UUID | None) -> Data | None:
    """One return with its task."""
    own = [] if user.is_staff else [BookReturn.user_id == user.user_id]
    found = _row(session, _returns(BookReturn.id == resource_id, *own))
    if found is None:
        return None
    return {**found, "task": _task_of(session, DeliveryTask.return_id == resource_id)}


def catalog(session: Session, _user: ConnectionUser, _resource_id: UUID | None) -> Data:
    """Count titles, copies and available copies."""
    statement = select(
        func.count().label("books"),
        func.coalesce(func.sum(Book.copies_total), 0).label("copies"),
        func.coalesce(func.sum(Book.copies_available), 0).label("copies_available"),
    ).where(Book.withdrawn_at.is_(None))
    return dict(session.execute(statement).mappings().one())


def deliveries(session: Session, _user: ConnectionUser, _resource_id: UUID | None) -> Data:
    """Open tasks, oldest first; failed ones are open until staff retry or cancel them."""
    return _lists(session, tasks=_tasks(DeliveryTask.status.not_in(CLOSED_STATUSES)))


def _robots(*where: ColumnElement[bool]) -> Rows:
    return select(*_ROBOT).where(Robot.retired_at.is_(None), *where).order_by(Robot.robot_name)


def robots(session: Session, _user: ConnectionUser, _resource_id: UUID | None) -> Data:
    return _lists(session, robots=_robots())


def robot(session: Session, _user: ConnectionUser, resource_id: UUID | None) -> Data | None:
    """One robot with its current task."""
    found = _row(session, _robots(Robot.id == resource_id))
    if found is None:
        return None
    is_current = DeliveryTask.status.in_((TaskStatus.ASSIGNED, TaskStatus.IN_PROGRESS))
    task = _tasks(DeliveryTask.assigned_robot_id == resource_id, is_current)
    return {**found, "task": _row(session, task)}


def alerts(session: Session, _user: ConnectionUser, _resource_id: UUID | None) -> Data:
    """Open alerts, the latest first; failed tasks; stopped and offline robots."""
    needs_attention = or_(Robot.stopped_at.is_not(None), Robot.connectivity == Connectivity.OFFLINE)
    still_open = select(*_ALERT).where(Alert.resolved_at.is_(None)).order_by(Alert.last_at.desc())
    return _lists(
        session,
        alerts=still_open,
        tasks=_tasks(DeliveryTask.status == TaskStatus.FAILED),
        robots=_robots(needs_attention),
    )


def import_job(session: Session, _user: ConnectionUser, resource_id: UUID | None) -> Data | None:
    """Progress of an import."""
    return _row(session, select(*_IMPORT).where(ImportJob.id == resource_id))
