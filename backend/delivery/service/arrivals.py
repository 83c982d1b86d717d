"""Keep what is said about arrivals true while robots drive and tasks wait."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from backend.shared.domain import eta, route_graph
from backend.shared.domain.actor import Actor
from backend.shared.domain.circulation import holds
from backend.shared.domain.eta import Arrival
from backend.shared.errors import AlreadyRequested, BookNotAvailable, NotFound
from backend.shared.infra import clock, database
from backend.shared.models import (
    CLOSED_STATUSES,
    FAILED_COMMAND_STATUSES,
    MOTION_COMMAND_TYPES,
    PRIORITY_RANK,
    Book,
    BookRequest,
    Connectivity,
    DeliveryTask,
    EtaReason,
    HoldStatus,
    Robot,
    RobotCommand,
    RobotStatus,
    Stage,
    TaskStatus,
    WaitingReason,
)

_WAITING = (TaskStatus.PENDING, TaskStatus.QUEUED)
_DRIVING = (Stage.TO_SOURCE, Stage.LOADING, Stage.TO_DESTINATION)
_MAX_TASKS = 500
_OUTCOME_TIME = timedelta(seconds=10)  # by then the outcome of a drive has been handled


def revise_all(session: Session) -> None:
    """Revise what is said about the arrival of each task that is under way or waits."""
    found = session.execute(
        select(DeliveryTask)
        .where(DeliveryTask.status.in_(_WAITING) | DeliveryTask.stage.in_(_DRIVING))
        .order_by(case(PRIORITY_RANK, value=DeliveryTask.priority), DeliveryTask.created_at)
        .limit(_MAX_TASKS)
    ).scalars()
    robots, ahead = _robots_in_service(session), 0
    for task in found.all():
        if _waits_for_staff(session, task):
            _say_nothing(task)
            continue
        new, cause = _predict(session, task, ahead, robots)
        ahead += task.status in _WAITING
        if new is not None:
            _say(task, new, cause)


def _robots_in_service(session: Session) -> int:
    return session.execute(
        select(func.count())
        .select_from(Robot)
        .where(
            Robot.retired_at.is_(None),
            Robot.connectivity == Connectivity.ONLINE,
            Robot.status.notin_([RobotStatus.MAINTENANCE, RobotStatus.ERROR]),
        )
    ).scalar_one()


def _say(task: DeliveryTask, new: Arrival, cause: EtaReason) -> None:
    """Store an arrival that differs from what was said, unless the task has moved on or is locked.

    The task keeps its version, since nobody did anything to it.
    """
    said = eta.said_of(task)
    arrival, is_late = eta.revise(said, new)
    if said is not None and not is_late and abs(arrival.expected - said.expected) < eta.TOLERANCE:
        return
    _store(
        task,
        eta=arrival.expected,
        eta_earliest=arrival.earliest,
        eta_latest=arrival.latest,
        eta_reason=eta.reason_of(task, cause, is_late=is_late),
    )


def _store(task: DeliveryTask, **values: datetime | EtaReason | None) -> None:
    unchanged = (
        select(DeliveryTask.id)
        .where(DeliveryTask.id == task.id, DeliveryTask.stage_since == task.stage_since)
        .with_for_update(skip_locked=True)
    )
    with database.transaction() as own:
        own.execute(update(DeliveryTask).where(DeliveryTask.id.in_(unchanged)).values(values))


def _waits_for_staff(session: Session, task: DeliveryTask) -> bool:
    """Return whether the drive of the stage has failed and is not tried again."""
    if task.stage not in _DRIVING or task.stage is Stage.LOADING:
        return False
    last = session.execute(
        select(RobotCommand.status, RobotCommand.is_due_again, RobotCommand.finished_at)
        .where(
            RobotCommand.task_id == task.id,
            RobotCommand.type.in_(MOTION_COMMAND_TYPES),
            RobotCommand.created_at >= task.stage_since,
        )
        .order_by(RobotCommand.seq.desc())
        .limit(1)
    ).one_or_none()
    if last is None or last.status not in FAILED_COMMAND_STATUSES or last.is_due_again:
        return False
    is_handled: bool = last.finished_at < clock.now() - _OUTCOME_TIME
    return is_handled


def _say_nothing(task: DeliveryTask) -> None:
    if task.eta is not None or task.eta_reason is not EtaReason.WAITING_FOR_STAFF:
        nothing = {"eta": None, "eta_earliest": None, "eta_latest": None}
        _store(task, **nothing, eta_reason=EtaReason.WAITING_FOR_STAFF)


def _predict(
    session: Session, task: DeliveryTask, ahead: int, robots: int
) -> tuple[Arrival | None, EtaReason]:
    """Predict the arrival, and name what would delay it."""
    if task.status in _WAITING:
        stopped = task.waiting_reason is WaitingReason.ROBOTS_STOPPED
        cause = EtaReason.ROBOT_STOPPED if stopped else EtaReason.WAITING_FOR_ROBOT
        return _unassigned(session, task, ahead, robots), cause
    if task.stage not in _DRIVING:
        return None, EtaReason.SLOWER
    robot = session.get_one(Robot, task.assigned_robot_id)
    return eta.predict(session, task, robot.pose, robot.speed), _cause(task, robot)


def _unassigned(session: Session, task: DeliveryTask, ahead: int, robots: int) -> Arrival | None:
    ends = (task.source_waypoint_id, task.destination_waypoint_id)
    return eta.predict_waiting(session, *ends, ahead, robots)


def quote(session: Session, actor: Actor, book_id: UUID, location: str) -> dict[str, Any]:
    """Say whether a request is possible now, and when the book would arrive."""
    places = route_graph.current(session)
    place = places.find(location)
    book = session.get(Book, book_id)
    if book is None or book.withdrawn_at is not None:
        raise NotFound("Book not found.")
    ahead = session.execute(
        select(func.count()).select_from(DeliveryTask).where(DeliveryTask.status.in_(_WAITING))
    ).scalar_one()
    source = places.workstation_for(book.shelf_location)
    robots = _robots_in_service(session)
    arrival = eta.predict_waiting(session, source.id, place.id, ahead, robots)
    code = _refusal(session, actor, book)
    return {
        "possible": code is None,
        "code": code,
        "queue_ahead": ahead,
        "eta_earliest": arrival.earliest if arrival is not None else None,
        "eta_latest": arrival.latest if arrival is not None else None,
    }


def _refusal(session: Session, actor: Actor, book: Book) -> str | None:
    """Return the code with which a request of the title would be refused."""
    requested = session.execute(
        select(BookRequest.id).where(
            BookRequest.book_id == book.id,
            BookRequest.user_id == actor.id,
            BookRequest.status.notin_(CLOSED_STATUSES),
        )
    ).first()
    if requested is not None:
        return AlreadyRequested.code
    kept = holds.open_hold(session, actor.id, book.id)
    is_kept = kept is not None and kept.status is HoldStatus.READY
    return None if book.copies_available > 0 or is_kept else BookNotAvailable.code


def _cause(task: DeliveryTask, robot: Robot) -> EtaReason:
    if robot.stopped_at is not None or robot.paused_at is not None:
        return EtaReason.ROBOT_STOPPED
    if robot.connectivity is not Connectivity.ONLINE:
        return EtaReason.ROBOT_OFFLINE
    if robot.status in {RobotStatus.ERROR, RobotStatus.MAINTENANCE}:
        return EtaReason.WAITING_FOR_STAFF
    if task.stage is Stage.LOADING:
        return EtaReason.WAITING_TO_BE_LOADED
    return EtaReason.SLOWER
