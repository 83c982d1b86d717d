"""How each topic stands now. Every snapshot is one repeatable-read transaction with its `pos`."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, text
from sqlalchemy.orm import Session

from backend.notification import queries
from backend.notification.live.connection_user import ConnectionUser
from backend.shared.models import (
    CLOSED_STATUSES,
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
_MOST_NOTIFICATIONS = 50
_MOST_ROWS = 200
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
    DeliveryTask.eta,
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


def begin(session: Session) -> int:
    """Fix the moment that is read; the position up to which all events are in it.

    The relay gives an event its position after the event's change is committed, so whatever has
    a position up to this one is seen here, and whatever comes later is published later.
    """
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    return session.execute(select(LivePosition.pos)).scalar_one()


def _all(session: Session, statement: Rows) -> list[Data]:
    return [dict(row) for row in session.execute(statement.limit(_MOST_ROWS)).mappings()]


def _tasks(*where: ColumnElement[bool]) -> Rows:
    return (
        select(*_TASK)
        .join(Book, Book.id == DeliveryTask.book_id)
        .outerjoin(Robot, Robot.id == DeliveryTask.assigned_robot_id)
        .where(*where)
        .order_by(DeliveryTask.created_at, DeliveryTask.id)
    )


def _task_of(session: Session, cause: ColumnElement[bool]) -> Data | None:
    """The journey that serves a request or a return, with where its robot is."""
    joined = _tasks(cause).add_columns(
        Robot.pose.label("robot_position"), Robot.current_location.label("robot_location")
    )
    found = session.execute(joined).mappings().one_or_none()
    return dict(found) if found is not None else None


def _requests(*where: ColumnElement[bool]) -> Rows:
    return select(*_REQUEST).join(Book, Book.id == BookRequest.book_id).where(*where)


def _returns(*where: ColumnElement[bool]) -> Rows:
    return select(*_RETURN).join(Book, Book.id == BookReturn.book_id).where(*where)


def me(session: Session, holder: ConnectionUser, _about: UUID | None) -> Data:
    """Unread notifications (the latest 50) and what is open: requests, returns, loans."""
    mine = holder.user_id
    unread = queries.own(mine, is_read=False).order_by(queries.SORTS["created_at"].desc())
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
        .where(Loan.user_id == mine, Loan.returned_at.is_(None))
        .order_by(Loan.due_at)
    )
    open_requests = BookRequest.status.not_in(CLOSED_STATUSES)
    open_returns = BookReturn.status.not_in(CLOSED_STATUSES)
    return {
        "unread": session.execute(queries.count_unread(mine)).scalar_one(),
        "notifications": _all(session, unread)[:_MOST_NOTIFICATIONS],
        "requests": _all(session, _requests(BookRequest.user_id == mine, open_requests)),
        "returns": _all(session, _returns(BookReturn.user_id == mine, open_returns)),
        "loans": _all(session, loans),
    }


def request(session: Session, holder: ConnectionUser, about: UUID | None) -> Data | None:
    """One request with its journey; the hand-over code is left to `GET /requests/{id}`."""
    whose = [] if holder.is_staff else [BookRequest.user_id == holder.user_id]
    found = session.execute(_requests(BookRequest.id == about, *whose)).mappings().one_or_none()
    if found is None:
        return None
    return {**found, "task": _task_of(session, DeliveryTask.request_id == about)}


def book_return(session: Session, holder: ConnectionUser, about: UUID | None) -> Data | None:
    """One return with its journey."""
    whose = [] if holder.is_staff else [BookReturn.user_id == holder.user_id]
    found = session.execute(_returns(BookReturn.id == about, *whose)).mappings().one_or_none()
    if found is None:
        return None
    return {**found, "task": _task_of(session, DeliveryTask.return_id == about)}


def catalog(session: Session, _holder: ConnectionUser, _about: UUID | None) -> Data:
    """How many titles and copies there are, and how many copies are free."""
    counted = select(
        func.count().label("books"),
        func.coalesce(func.sum(Book.copies_total), 0).label("copies"),
        func.coalesce(func.sum(Book.copies_available), 0).label("copies_available"),
    ).where(Book.withdrawn_at.is_(None))
    return dict(session.execute(counted).mappings().one())


def deliveries(session: Session, _holder: ConnectionUser, _about: UUID | None) -> Data:
    """Every open journey, oldest first; failed ones are open until staff decide."""
    return {"tasks": _all(session, _tasks(DeliveryTask.status.not_in(CLOSED_STATUSES)))}


def _robots(*where: ColumnElement[bool]) -> Rows:
    return select(*_ROBOT).where(Robot.retired_at.is_(None), *where).order_by(Robot.robot_name)


def robots(session: Session, _holder: ConnectionUser, _about: UUID | None) -> Data:
    return {"robots": _all(session, _robots())}


def robot(session: Session, _holder: ConnectionUser, about: UUID | None) -> Data | None:
    """One robot with the journey it is on."""
    found = session.execute(_robots(Robot.id == about)).mappings().one_or_none()
    if found is None:
        return None
    travelling = DeliveryTask.status.in_((TaskStatus.ASSIGNED, TaskStatus.IN_PROGRESS))
    journey = _tasks(DeliveryTask.assigned_robot_id == about, travelling)
    task = session.execute(journey).mappings().one_or_none()
    return {**found, "task": dict(task) if task is not None else None}


def alerts(session: Session, _holder: ConnectionUser, _about: UUID | None) -> Data:
    """Journeys that staff must decide on, robots that are stopped or silent."""
    troubled = or_(Robot.stopped_at.is_not(None), Robot.connectivity == Connectivity.OFFLINE)
    return {
        "tasks": _all(session, _tasks(DeliveryTask.status == TaskStatus.FAILED)),
        "robots": _all(session, _robots(troubled)),
    }


def import_job(session: Session, _holder: ConnectionUser, about: UUID | None) -> Data | None:
    """How far an import is."""
    found = session.execute(select(*_IMPORT).where(ImportJob.id == about)).mappings()
    row = found.one_or_none()
    return dict(row) if row is not None else None
