"""The time of LUNA on the robot, whose own clock may be wrong or jump."""

import time
from datetime import UTC, datetime, timedelta


class LunaClock:
    """LUNA's time at the start of the session plus the monotonic clock.

    Before the session it is the robot's own time.
    """

    def __init__(self) -> None:
        self.set(datetime.now(UTC))

    def set(self, server_time: datetime) -> None:
        self._set_to, self._set_at = server_time, time.monotonic()

    def now(self) -> datetime:
        return self._set_to + timedelta(seconds=time.monotonic() - self._set_at)
