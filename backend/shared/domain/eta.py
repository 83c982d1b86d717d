"""Arrival times: from measured speeds, the usual loading time, and the queue.

A task keeps what was last said: `eta`, between `eta_earliest` and `eta_latest`. It is said later
only by less than MAX_SILENT_DELAY in all, or with a reason (`revise`).
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.shared.domain import route_graph
from backend.shared.infra import clock, config
from backend.shared.models import DeliveryTask, EtaReason, Robot, Stage, WaypointKind

MAX_SILENT_DELAY = timedelta(minutes=2)
TOLERANCE = timedelta(seconds=10)  # a smaller change is not stored
_FASTER, _SLOWER = 0.8, 1.4  # of the expected time
_AT_DESTINATION = frozenset({Stage.HANDOVER, Stage.BRINGING_BACK})


@dataclass(frozen=True)
class Arrival:
    """When a task arrives, and the time in which that most likely lies."""

    earliest: datetime
    expected: datetime
    latest: datetime


def predict(
    session: Session, task: DeliveryTask, pose: dict[str, Any] | None, speed: float | None
) -> Arrival | None:
    """Predict the arrival of a task with a robot; None when unknown or behind the task.

    `pose` in metres on its floor, `speed` in metres per second (the usual one when not measured).
    """
    graph = route_graph.current(session)
    here = graph.nearest(pose)
    if here is None or task.stage in _AT_DESTINATION:
        return None
    if task.stage is Stage.TO_DESTINATION:
        drive, loading = graph.seconds(here.id, task.destination_waypoint_id, speed), timedelta()
    else:
        to_source = graph.seconds(here.id, task.source_waypoint_id, speed)
        with_book = graph.seconds(task.source_waypoint_id, task.destination_waypoint_id, speed)
        drive, loading = to_source + with_book, _loading_time(task)
    return _between(drive, loading)


def predict_waiting(
    session: Session, source: UUID, destination: UUID, ahead: int, robots: int
) -> Arrival | None:
    """Predict the arrival of a task without a robot; `ahead` tasks are served before it."""
    graph = route_graph.current(session)
    docks = graph.of_kind(WaypointKind.DOCK)
    with_book = graph.seconds(source, destination, None)
    to_source = min((graph.seconds(dock.id, source, None) for dock in docks), default=0.0)
    loading = config.workflow().usual_loading_time
    arrival = _between(to_source + with_book, loading)
    if arrival is None or robots == 0:
        return None
    trip = timedelta(seconds=to_source + with_book) + 2 * loading
    wait = (ahead // robots + 1) * trip if ahead else timedelta()
    return Arrival(arrival.earliest, arrival.expected + wait, arrival.latest + wait * _SLOWER)


def _loading_time(task: DeliveryTask) -> timedelta:
    """Return the usual loading time, less what the robot has waited already."""
    usual = config.workflow().usual_loading_time
    if task.stage is not Stage.LOADING:
        return usual
    return max(usual - (clock.now() - task.stage_since), usual / 4)


def _between(drive: float, loading: timedelta) -> Arrival | None:
    if not math.isfinite(drive):
        return None
    now, seconds = clock.now(), timedelta(seconds=drive)
    return Arrival(
        earliest=now + seconds * _FASTER + loading / 2,
        expected=now + seconds + loading,
        latest=now + seconds * _SLOWER + loading * 2,
    )


def revise(said: Arrival | None, new: Arrival) -> tuple[Arrival, bool]:
    """Return what to say now, and whether it is so much later that it needs a cause.

    Without a cause the latest time never moves, so that small delays cannot add up unseen.
    """
    if said is None:
        return new, False
    if new.expected > min(said.latest, said.expected + MAX_SILENT_DELAY):
        return new, True
    return Arrival(new.earliest, new.expected, min(new.latest, said.latest)), False


def said_of(task: DeliveryTask) -> Arrival | None:
    """Return what was last said about the task's arrival."""
    if task.eta_earliest is None or task.eta_latest is None:
        return None
    return Arrival(task.eta_earliest, task.eta or task.eta_latest, task.eta_latest)


def reason_of(task: DeliveryTask, cause: EtaReason, *, is_late: bool) -> EtaReason | None:
    """Return the reason to give with an arrival: the last one stays, as long as it holds."""
    if is_late:
        return cause
    return EtaReason.SLOWER if task.eta_reason is EtaReason.WAITING_FOR_STAFF else task.eta_reason


def forget(task: DeliveryTask) -> None:
    """Say nothing more about the arrival: the task has ended, or the book goes back."""
    task.eta = task.eta_earliest = task.eta_latest = None
    task.eta_reason = None


def say(task: DeliveryTask, new: Arrival | None, cause: EtaReason) -> None:
    """Store the arrival on the task, with the cause when it is said to be much later.

    When it cannot be predicted, what was said before stands.
    """
    if new is None:
        return
    arrival, is_late = revise(said_of(task), new)
    task.eta, task.eta_earliest, task.eta_latest = (
        arrival.expected,
        arrival.earliest,
        arrival.latest,
    )
    task.eta_reason = reason_of(task, cause, is_late=is_late)


def say_for_robot(session: Session, task: DeliveryTask, robot: Robot, cause: EtaReason) -> None:
    """Store the arrival of a task that the robot serves."""
    say(task, predict(session, task, robot.pose, robot.speed), cause)
