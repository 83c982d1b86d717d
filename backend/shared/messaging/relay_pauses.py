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
_LONGEST_REST = 5.0  # seconds, also after a batch that waited for the database


class Pause(NamedTuple):
    """Seconds from the begin of a batch: idle processors end the pause after the shortest time."""

    shortest: float
    longest: float


def pause_after(relayed: int, took: float) -> Pause:
    """Return the pause after a batch of so many events that took so many seconds."""
    rested = took + min(_REST * took, _LONGEST_REST)
    if relayed >= BATCH:
        return Pause(0.0, rested)
    interval = next(interval for size, interval in _INTERVALS if relayed >= size)
    return Pause(interval, max(_INTERVAL_OF_A_BURST, rested) if relayed >= _LARGE else interval)
