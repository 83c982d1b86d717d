"""Keep what is said about arrivals true while robots drive and tasks wait."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select, true, update
from sqlalchemy.orm import Session

from backend.shared.domain import eta, route_graph, stop_latches
from backend.shared.domain.actor import Actor
from backend.shared.domain.circulation import holds
from backend.shared.domain.eta import Arrival
from backend.shared.errors import AlreadyRequested, BookNotAvailable, NotFound
from backend.shared.infra import cache, clock, database
from backend.shared.models import (
    CLOSED_STATUSES,
    FAILED_COMMAND_STATUSES,
    MOTION_COMMAND_TYPES,
    PRIORITY_RANK,
    Book,
    BookRequest,
    CommandStatus,
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
_AT_ONCE = 25  # tasks that one transaction locks
_Change = tuple[DeliveryTask, Mapping[str, datetime | EtaReason | None]]
_OUTCOME_TIME = timedelta(seconds=10)  # by then the outcome of a drive has been handled


@dataclass(frozen=True)
class _Drive:
    """Whether a task's robot is stopped, and the last drive of its stage, if there is one."""

    is_stopped: bool
    status: CommandStatus | None
    is_due_again: bool | None
    finished_at: datetime | None


def revise_all(session: Session) -> None:
    """Revise what is said about the arrival of each task that is under way or waits."""
    robots, ahead = _robots_in_service(session), 0
    changes: list[_Change] = []
    for task, robot, drive in _open_tasks(session):
        if _waits_for_staff(task, drive):
            changes += _say_nothing(task)
            continue
        new, cause = _predict(session, task, robot, ahead, robots)
        ahead += task.status in _WAITING
        if robot is not None and drive.is_stopped:
            cause = EtaReason.ROBOT_STOPPED
        if new is not None:
            changes += _say(task, new, cause)
    for first in range(0, len(changes), _AT_ONCE):
        _store(changes[first : first + _AT_ONCE])


def _open_tasks(session: Session) -> Iterator[tuple[DeliveryTask, Robot | None, _Drive]]:
    """Return the tasks in the order in which they are served, with robot and drive."""
    last = (
        select(RobotCommand.status, RobotCommand.is_due_again, RobotCommand.finished_at)
        .where(
            RobotCommand.task_id == DeliveryTask.id,
            RobotCommand.type.in_(MOTION_COMMAND_TYPES),
            RobotCommand.created_at >= DeliveryTask.stage_since,
        )
        .order_by(RobotCommand.seq.desc())
        .limit(1)
        .lateral()
    )
    found = session.execute(
        select(DeliveryTask, Robot, stop_latches.is_stopped(Robot.id), *last.c)
        .outerjoin(Robot, Robot.id == DeliveryTask.assigned_robot_id)
        .outerjoin(last, true())
        .where(DeliveryTask.status.in_(_WAITING) | DeliveryTask.stage.in_(_DRIVING))
        .order_by(case(PRIORITY_RANK, value=DeliveryTask.priority), DeliveryTask.created_at)
        .limit(_MAX_TASKS)
    )
    for task, robot, *drive in found.all():
        yield task, robot, _Drive(*drive)


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


def _say(task: DeliveryTask, new: Arrival, cause: EtaReason) -> Iterator[_Change]:
    """Say an arrival that differs from what was said."""
    said = eta.said_of(task)
    arrival, is_late = eta.revise(said, new)
    if said is not None and not is_late and abs(arrival.expected - said.expected) < eta.TOLERANCE:
        return
    values = {
        "eta": arrival.expected,
        "eta_earliest": arrival.earliest,
        "eta_latest": arrival.latest,
        "eta_reason": eta.reason_of(task, cause, is_late=is_late),
    }
    yield task, values


def _say_nothing(task: DeliveryTask) -> Iterator[_Change]:
    if task.eta is not None or task.eta_reason is not EtaReason.WAITING_FOR_STAFF:
        nothing = {"eta": None, "eta_earliest": None, "eta_latest": None}
        yield task, {**nothing, "eta_reason": EtaReason.WAITING_FOR_STAFF}


def _store(changes: Sequence[_Change]) -> None:
    """Store what is said, unless the task has moved on or is locked.

    The tasks keep their version, since nobody did anything to them.
    """
    with database.transaction() as own:
        for task, values in changes:
            unchanged = (
                select(DeliveryTask.id)
                .where(DeliveryTask.id == task.id, DeliveryTask.stage_since == task.stage_since)
                .with_for_update(skip_locked=True)
            )
            own.execute(update(DeliveryTask).where(DeliveryTask.id.in_(unchanged)).values(values))


def _waits_for_staff(task: DeliveryTask, drive: _Drive) -> bool:
    """Return whether the drive of the stage has failed and is not tried again."""
    if task.stage not in {Stage.TO_SOURCE, Stage.TO_DESTINATION} or drive.is_due_again:
        return False
    if drive.status not in FAILED_COMMAND_STATUSES or drive.finished_at is None:
        return False
    return drive.finished_at < clock.now() - _OUTCOME_TIME


def _predict(
    session: Session, task: DeliveryTask, robot: Robot | None, ahead: int, robots: int
) -> tuple[Arrival | None, EtaReason]:
    """Predict the arrival, and name what would delay it."""
    if robot is None or task.status in _WAITING:
        stopped = task.waiting_reason is WaitingReason.ROBOTS_STOPPED
        cause = EtaReason.ROBOT_STOPPED if stopped else EtaReason.WAITING_FOR_ROBOT
        return _unassigned(session, task, ahead, robots), cause
    return eta.predict(session, task, live_pose(robot), robot.speed), _cause(task, robot)


def live_pose(robot: Robot) -> dict[str, Any] | None:
    """Return the pose of the newest heartbeat; PostgreSQL may be half a minute behind."""
    cached = cache.get(cache.robot_key(robot.id))
    pose: dict[str, Any] | None = robot.pose if cached is None else json.loads(cached)["pose"]
    return pose


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
    if robot.paused_at is not None:
        return EtaReason.ROBOT_STOPPED
    if robot.connectivity is not Connectivity.ONLINE:
        return EtaReason.ROBOT_OFFLINE
    if robot.status in {RobotStatus.ERROR, RobotStatus.MAINTENANCE}:
        return EtaReason.WAITING_FOR_STAFF
    if task.stage is Stage.LOADING:
        return EtaReason.WAITING_TO_BE_LOADED
    return EtaReason.SLOWER
