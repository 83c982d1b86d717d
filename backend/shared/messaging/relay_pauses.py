"""The pause of the relay after a batch.

A batch sets the consumers to work, here and in PostgreSQL, where the worker's low priority has no
effect. While requests keep the processors busy the relay therefore works a ninth of the time.
"""

from typing import NamedTuple

from backend.shared.messaging.due_events import BATCH

# Seconds while events keep coming, from a size of the batch on: each batch has a cost of its own.
_INTERVALS = ((12, 0.25), (0, 0.02))
_LARGE = 100  # events; so many come in a burst
_INTERVAL_OF_A_BURST = 1.0
_REST = 8.0  # times the time of a large batch, which is longer on busy processors


class Pause(NamedTuple):
    """Seconds from the begin of a batch: idle processors end the pause after the shortest time."""

    shortest: float
    longest: float


def pause_after(relayed: int, took: float) -> Pause:
    """Return the pause after a batch of so many events that took so many seconds."""
    if relayed >= BATCH:
        return Pause(0.0, (1 + _REST) * took)
    interval = next(interval for size, interval in _INTERVALS if relayed >= size)
    longest = max(_INTERVAL_OF_A_BURST, (1 + _REST) * took) if relayed >= _LARGE else interval
    return Pause(interval, longest)
