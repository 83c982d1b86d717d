"""Arrival times: from measured speeds, the times of the last trips, and the queue.

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
from backend.shared.domain.eta import trip_times
from backend.shared.domain.eta.trip_times import Spread, TripTimes
from backend.shared.domain.route_graph import RouteGraph
from backend.shared.infra import clock
from backend.shared.models import DeliveryTask, EtaReason, Robot, Stage, WaypointKind

MAX_SILENT_DELAY = timedelta(minutes=2)
TOLERANCE = timedelta(seconds=10)  # a smaller change is not stored
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
    graph, times = route_graph.current(session), trip_times.current(session)
    here = graph.nearest(pose)
    if here is None or task.stage in _AT_DESTINATION:
        return None
    ends = (task.source_waypoint_id, task.destination_waypoint_id)
    if task.stage is Stage.TO_DESTINATION:
        left = graph.seconds(here.id, ends[1], speed)
        return _between(left, _delay_left(graph, times, task, speed, left))
    to_source, with_book = graph.seconds(here.id, ends[0], speed), graph.seconds(*ends, speed)
    delays = [times.delay_of(drive) for drive in (to_source, with_book) if drive > 0]
    waited = _seconds_in_stage(task) if task.stage is Stage.LOADING else 0.0
    return _between(to_source + with_book, times.loading.after(waited), *delays)


def predict_waiting(
    session: Session, source: UUID, destination: UUID, ahead: int, robots: int
) -> Arrival | None:
    """Predict the arrival of a task without a robot; `ahead` tasks are served before it."""
    if robots == 0:
        return None
    graph, times = route_graph.current(session), trip_times.current(session)
    docks = graph.of_kind(WaypointKind.DOCK)
    with_book = graph.seconds(source, destination, None)
    to_source = min((graph.seconds(dock.id, source, None) for dock in docks), default=0.0)
    delays = [times.delay_of(drive) for drive in (to_source, with_book) if drive > 0]
    arrival = _between(to_source + with_book, times.loading, *delays)
    if arrival is None:
        return None
    rounds = ahead // robots + 1 if ahead else 0
    # Of the trips before it: a hand-over takes as long as a loading.
    usual, late = (
        timedelta(seconds=rounds * (to_source + with_book + extra))
        for extra in (
            2 * times.loading.usual + math.fsum(each.usual for each in delays),
            2 * times.loading.late + math.fsum(each.late for each in delays),
        )
    )
    return Arrival(arrival.earliest, arrival.expected + usual, arrival.latest + late)


def _delay_left(
    graph: RouteGraph, times: TripTimes, task: DeliveryTask, speed: float | None, left: float
) -> Spread:
    """Return the delay to expect for the rest of a drive, of which `left` seconds remain."""
    if times.delay is None:
        return times.delay_of(left)
    whole = graph.seconds(task.source_waypoint_id, task.destination_waypoint_id, speed)
    return times.delay.after(_seconds_in_stage(task) - (whole - left))


def _seconds_in_stage(task: DeliveryTask) -> float:
    return (clock.now() - task.stage_since).total_seconds()


def _between(drive: float, *waits: Spread) -> Arrival | None:
    if not math.isfinite(drive):
        return None
    now = clock.now()

    def after(*seconds: float) -> datetime:
        return now + timedelta(seconds=max(0.0, drive + math.fsum(seconds)))

    return Arrival(
        earliest=after(*(each.early for each in waits)),
        expected=after(*(each.usual for each in waits)),
        latest=after(*(each.late for each in waits)),
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

    When it cannot be predicted, what was said before stands. For the new stage the whole range is
    said anew: one that ends notably later needs the cause, too.
    """
    if new is None:
        return
    arrival, is_late = revise(said_of(task), new)
    if new.latest > arrival.latest:
        is_late = is_late or new.latest > arrival.latest + TOLERANCE
        arrival = new
    task.eta, task.eta_earliest, task.eta_latest = (
        arrival.expected,
        arrival.earliest,
        arrival.latest,
    )
    task.eta_reason = reason_of(task, cause, is_late=is_late)


def say_for_robot(session: Session, task: DeliveryTask, robot: Robot, cause: EtaReason) -> None:
    """Store the arrival of a task that the robot serves."""
    say(task, predict(session, task, robot.pose, robot.speed), cause)
