"""A filter for the battery level of a TurtleBot 4, which at times reads 0 or jumps."""

import math

MAX_STEP = 0.1  # between two readings
CONFIRMED_AFTER_S = 30.0  # a jump is believed when it has lasted so long


class BatteryFilter:
    """Keeps the last level that is plausible."""

    def __init__(self) -> None:
        self.level = 0.0  # until the first reading: a robot of unknown charge gets no task
        self.is_known = False
        self._jumped_to = math.nan
        self._jumped_at = 0.0

    def update(self, reading: float | None, now: float) -> float:
        """Return the level after a reading at `now` (seconds of a monotonic clock)."""
        if reading is None or not 0 <= reading <= 1 or math.isnan(reading):
            return self.level
        if not self.is_known:
            if reading > 0:  # the base publishes 0 until it has measured
                self.level, self.is_known = reading, True
        elif abs(reading - self.level) <= MAX_STEP:
            self.level, self._jumped_to = reading, math.nan
        elif not abs(reading - self._jumped_to) <= MAX_STEP:
            self._jumped_to, self._jumped_at = reading, now
        elif now - self._jumped_at >= CONFIRMED_AFTER_S:
            self.level, self._jumped_to = reading, math.nan
        return self.level
