"""Find components that run but have not answered for LUNA_UNRESPONSIVE_TIMEOUT.

A component does not answer when its probe fails or one of its processes is stopped (SIGSTOP).
"""

import os
import re
import time
from collections.abc import Iterable, Iterator

from ops.native.component import Child, State
from ops.processes import is_stopped

SETTING = "LUNA_UNRESPONSIVE_TIMEOUT"
DEFAULT = "PT30S"
MAX_INTERVAL = 5.0  # seconds between two probes of a component


def timeout() -> float:
    """Return the setting in seconds; raise ValueError when it is no duration such as PT30S."""
    value = os.environ.get(SETTING) or DEFAULT
    if not (found := re.fullmatch(r"PT(\d+(?:\.\d+)?)S", value)):
        raise ValueError(f"{SETTING} must be a duration such as {DEFAULT}, not {value!r}")
    return float(found.group(1))


class Watchdog:
    """Probes components that are ready, each at most once per `interval`."""

    def __init__(self, seconds: float) -> None:
        self._timeout = seconds
        self.interval = min(MAX_INTERVAL, seconds / 4)
        self._last_probe: dict[str, float] = {}

    def find_unresponsive(self, children: Iterable[Child]) -> Iterator[Child]:
        """Probe what is due, up to the first failure, so that a pass takes about one timeout."""
        due = [child for child in children if child.state == State.READY and self._is_due(child)]
        for child in sorted(due, key=self._last_probe_of):
            self._last_probe[child.component.name] = time.monotonic()
            if _answers(child):
                child.silent_since = None
                continue
            child.silent_since = child.silent_since or time.monotonic()
            if time.monotonic() - child.silent_since >= self._timeout:
                yield child
            return

    def _last_probe_of(self, child: Child) -> float:
        return self._last_probe.get(child.component.name, 0.0)

    def _is_due(self, child: Child) -> bool:
        return time.monotonic() - self._last_probe_of(child) >= self.interval


def _answers(child: Child) -> bool:
    return not (child.process and is_stopped(child.process.pid)) and child.component.answers()
