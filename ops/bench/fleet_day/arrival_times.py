"""How true the said arrival times were, by the rows that staff see."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ops.bench import Result
from ops.bench.bridges import percentile

_MAX_SILENT_DELAY = timedelta(minutes=2)
_MEASURED_AFTER = 100  # arrivals; by then LUNA predicts from what its trips took


class ArrivalTimes:
    """Compares what was said at the assignment and at the departure with the arrival."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, int, str], tuple[datetime, datetime]] = {}
        self._last: dict[str, datetime] = {}
        self._errors: dict[str, list[float]] = {"TO_SOURCE": [], "TO_DESTINATION": []}
        self._kept: list[bool] = []
        self._silent_delays = 0

    def look(self, row: dict[str, Any]) -> None:
        """Note what a task's row says now."""
        if row["eta"] is None:
            return
        eta = datetime.fromisoformat(row["eta"])
        before = self._last.get(row["id"], eta)
        is_late = eta - before > _MAX_SILENT_DELAY
        self._silent_delays += is_late and row["eta_reason"] is None
        self._last[row["id"]] = eta
        if row["stage"] in self._errors:
            latest = datetime.fromisoformat(row["eta_latest"])
            self._said.setdefault((row["id"], row["attempt"], row["stage"]), (eta, latest))

    def arrive(self, row: dict[str, Any]) -> None:
        """Compare with the arrival of a task that is at its hand-over; once for each task."""
        for stage, errors in self._errors.items():
            said = self._said.pop((row["id"], row["attempt"], stage), None)
            if said is not None:
                arrived = datetime.fromisoformat(row["arrived_at"])
                errors.append(abs((arrived - said[0]).total_seconds()))
                self._kept.append(arrived <= said[1])

    def results(self) -> Iterator[Result]:
        """Yield the errors as figures."""
        for stage, errors in self._errors.items():
            about = {"arrivals": float(len(errors)), "p95 s": percentile(errors, 0.95)}
            when = "the assignment" if stage == "TO_SOURCE" else "the departure"
            yield Result(
                f"error of the ETA at {when}, p50", percentile(errors, 0.5), "s", details=about
            )
        for name, kept in (
            ("arrived by the latest time said", self._kept),
            ("the same, once trips were measured", self._kept[_MEASURED_AFTER:]),
        ):
            if kept:
                yield Result(name, sum(kept) / len(kept), "of all")
        yield Result("later by 2 minutes without a reason", self._silent_delays, "", at_most=0)
