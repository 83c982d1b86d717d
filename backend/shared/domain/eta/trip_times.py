"""What trips take beyond the way itself, measured on the last ones of the library.

A robot waits for its commands, gives way to people and leaves its dock; a person walks to it with
the book. So an arrival is predicted as drive plus loading plus delay, each with its usual spread.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import quantiles
from typing import NamedTuple, Self
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.shared.domain import route_graph
from backend.shared.domain.transitions import Action
from backend.shared.infra import clock, config
from backend.shared.models import DeliveryTask, Stage, TaskHistory

_MAX_AGE = timedelta(seconds=30)
_STEPS = 1_000  # of the history
_MIN_MEASURED = 10
_PARTS = 20  # a range leaves out one trip in twenty at each end
_FASTER, _SLOWER = 0.2, 0.4  # of the drive, until delays have been measured


@dataclass(frozen=True)
class Spread:
    """Seconds: the usual ones, and those that one time in twenty is below or above."""

    early: float
    usual: float
    late: float

    @classmethod
    def measured(cls, seconds: Sequence[float]) -> Self | None:
        """Return the spread of these; None when they are too few."""
        if len(seconds) < _MIN_MEASURED:
            return None
        cuts = quantiles(seconds, n=_PARTS)
        return cls(cuts[0], cuts[_PARTS // 2 - 1], cuts[-1])

    def after(self, waited: float) -> "Spread":
        """Return what is left after some seconds; never nothing, since it has not ended."""
        if waited <= 0:
            return self
        usual = max(self.usual - waited, self.usual / 4, 0.0)
        late = max(self.late - waited, 2 * usual)
        return Spread(min(max(self.early - waited, 0.0), usual), usual, late)


@dataclass(frozen=True)
class TripTimes:
    """Seconds of loading, and of a drive beyond its way; None: not measured yet."""

    loading: Spread
    delay: Spread | None

    def delay_of(self, drive: float) -> Spread:
        """Return the delay of a drive of so many seconds."""
        if self.delay is not None:
            return self.delay
        return Spread(-_FASTER * drive, 0.0, _SLOWER * drive)


_cached: list[tuple[datetime, TripTimes]] = []


def current(session: Session) -> TripTimes:
    """Return the times of the last trips, measured anew twice a minute."""
    now = clock.now()
    if not _cached or not timedelta() <= now - _cached[0][0] < _MAX_AGE:
        _cached[:] = [(now, _measure(session))]
    return _cached[0][1]


def clear_cache() -> None:
    """Measure again at the next use (for tests that empty the database)."""
    _cached.clear()


def _measure(session: Session) -> TripTimes:
    usual = config.workflow().usual_loading_time.total_seconds()
    loading, delays = _last_trips(session)
    return TripTimes(
        Spread.measured(loading) or Spread(usual / 2, usual, usual * 2), Spread.measured(delays)
    )


class _Step(NamedTuple):
    """A step of a task's history, and how long its stage took."""

    action: str | None
    from_stage: Stage | None
    took: timedelta
    source: UUID
    destination: UUID


def _last_trips(session: Session) -> tuple[list[float], list[float]]:
    """Return the seconds of the last loadings, and of the last drives beyond their way."""
    steps = (
        select(TaskHistory.task_id, TaskHistory.id, TaskHistory.action, TaskHistory.from_stage)
        .add_columns(TaskHistory.created_at)
        .order_by(TaskHistory.created_at.desc())
        .limit(_STEPS)
        .subquery()
    )
    began = func.lag(steps.c.created_at).over(partition_by=steps.c.task_id, order_by=steps.c.id)
    took = (steps.c.created_at - began).label("took")
    rows = session.execute(
        select(
            steps.c.action,
            steps.c.from_stage,
            took,
            DeliveryTask.source_waypoint_id,
            DeliveryTask.destination_waypoint_id,
        ).join(DeliveryTask, DeliveryTask.id == steps.c.task_id)
    ).all()
    known = [_Step._make(row) for row in rows if row.took is not None]
    loading = [step.took.total_seconds() for step in known if step.action == Action.LOAD]
    return loading, list(_delays(session, known))


def _delays(session: Session, steps: Iterable[_Step]) -> Iterator[float]:
    graph = route_graph.current(session)
    for step in steps:
        if step.action == Action.ARRIVE and step.from_stage is Stage.TO_DESTINATION:
            drive = graph.seconds(step.source, step.destination, None)
            if math.isfinite(drive):
                yield step.took.total_seconds() - drive
