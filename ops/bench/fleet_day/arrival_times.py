"""How true the said arrival times were, by the rows that staff see.

A range counts as told when it is first seen: at the request, at the assignment of a robot, and at
its departure with the book. An arrival is disturbed when people misbehaved, the robot failed or was
stopped meanwhile, or a fault was injected into it that delays a drive.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ops.bench import Result
from ops.bench.bridges import percentile

_MAX_SILENT_DELAY = timedelta(seconds=11)  # of the end of a range; trips take seconds here
_MIN_KEPT = 0.8  # of the undisturbed arrivals
_DELAYING = (
    "NETWORK_LOSS",
    "CRASH",
    "BLOCKED_PATH",
    "FLAT_BATTERY",
    "ARRIVES_ELSEWHERE",
    "WRONG_PLACE",
    "UNCONFIRMED_STOP",
)
_MOMENTS = {
    "PENDING": "the request",
    "QUEUED": "the request",
    "TO_SOURCE": "the assignment",
    "TO_DESTINATION": "the departure",
}


@dataclass(frozen=True)
class _Range:
    earliest: datetime
    expected: datetime
    latest: datetime


@dataclass
class _Trip:
    """What was told about one attempt of a task."""

    told: dict[str, _Range] = field(default_factory=dict)  # by moment
    faults: int | None = None  # of its robot, when the robot was first seen


@dataclass(frozen=True)
class _Arrival:
    moment: str
    is_disturbed: bool
    error: float  # seconds after the expected time
    late: float  # seconds after the latest time; negative before it
    early: float  # seconds before the earliest time; negative after it
    width: float  # seconds from the earliest to the latest time

    @property
    def is_kept(self) -> bool:
        return self.late <= 0 and self.early <= 0


class ArrivalTimes:
    """Compares what was told with the arrivals; `injected` counts the faults of a robot by kind."""

    def __init__(self, injected: Callable[[str], Mapping[str, int]]) -> None:
        self._injected = injected
        self._trips: dict[tuple[str, int], _Trip] = {}
        self._last: dict[str, datetime] = {}
        self._reasons: Counter[str] = Counter()
        self._arrivals: list[_Arrival] = []
        self._silent_delays = 0

    def look(self, row: dict[str, Any]) -> None:
        """Note what a task's row says now."""
        trip = self._trips.setdefault((row["id"], row["attempt"]), _Trip())
        if trip.faults is None and row["robot_name"] is not None:
            trip.faults = self._faults(row["robot_name"])
        if row["eta"] is None:
            return
        latest = datetime.fromisoformat(row["eta_latest"])
        is_late = latest - self._last.get(row["id"], latest) > _MAX_SILENT_DELAY
        self._silent_delays += is_late and row["eta_reason"] is None
        self._last[row["id"]] = latest
        moment = _MOMENTS.get(row["stage"] or row["status"])
        if moment is not None and moment not in trip.told:
            given = (row["eta_earliest"], row["eta"], row["eta_latest"])
            trip.told[moment] = _Range(*map(datetime.fromisoformat, given))

    def arrive(self, row: dict[str, Any], *, is_disturbed: bool) -> None:
        """Compare with the arrival of a task that is at its hand-over; once for each attempt."""
        trip = self._trips.pop((row["id"], row["attempt"]), None)
        if trip is None or not trip.told:
            return
        faults = self._faults(row["robot_name"])
        is_disturbed = is_disturbed or row["attempt"] > 1 or faults != trip.faults
        arrived = datetime.fromisoformat(row["arrived_at"])
        self._reasons[row["eta_reason"] or "none"] += 1
        for moment, told in trip.told.items():
            self._arrivals.append(
                _Arrival(
                    moment=moment,
                    is_disturbed=is_disturbed,
                    error=(arrived - told.expected).total_seconds(),
                    late=(arrived - told.latest).total_seconds(),
                    early=(told.earliest - arrived).total_seconds(),
                    width=(told.latest - told.earliest).total_seconds(),
                )
            )

    def _faults(self, robot: str) -> int:
        injected = self._injected(robot)
        return sum(injected.get(kind, 0) for kind in _DELAYING)

    def results(self) -> Iterator[Result]:
        """Yield the errors, and how many arrivals were in the range that was told."""
        for moment in dict.fromkeys(_MOMENTS.values()):
            own = [each for each in self._arrivals if each.moment == moment]
            for is_disturbed in (False, True):
                kind = [each for each in own if each.is_disturbed is is_disturbed]
                yield from _results(moment, kind, is_disturbed=is_disturbed)
        yield Result(
            "told notably later without a reason", self._silent_delays, "", at_most=0,
            details=dict(self._reasons),
        )  # fmt: skip


def _results(moment: str, arrivals: list[_Arrival], *, is_disturbed: bool) -> Iterator[Result]:
    kind = "with a fault" if is_disturbed else "without a fault"
    errors = [abs(each.error) for each in arrivals]
    if not arrivals:
        return
    yield Result(
        f"error of the arrival told at {moment}, {kind}, p50", percentile(errors, 0.5), "s",
        details={"arrivals": len(arrivals), "p95 s": percentile(errors, 0.95)},
    )  # fmt: skip
    yield Result(
        f"arrived within the range told at {moment}, {kind}",
        sum(each.is_kept for each in arrivals) / len(arrivals),
        "of all",
        at_least=None if is_disturbed else _MIN_KEPT,
        details={
            "late": sum(each.late > 0 for each in arrivals),
            "early": sum(each.early > 0 for each in arrivals),
            "width of the range, p50 s": percentile([each.width for each in arrivals], 0.5),
        },
    )
