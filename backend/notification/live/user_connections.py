"""The sockets of one user in this process, and the messages they may send."""

import time

from backend.notification.live.sockets import ClientMessage, Ping
from backend.shared.errors import Forbidden

MAX_SOCKETS = 10
_ENTRIES_PER_SECOND = 20  # a message, or a topic of a message
_BURST = 300  # entries: a page that opens again with all its topics


class UserConnections:
    """Counts sockets and limits messages over all sockets of a user."""

    __slots__ = ("_budget", "_updated_at", "sockets")

    def __init__(self) -> None:
        self.sockets = 0
        self._budget = float(_BURST)
        self._updated_at = time.monotonic()

    def add_socket(self) -> None:
        """Count a socket; Forbidden when the user has too many."""
        if self.sockets >= MAX_SOCKETS:
            raise Forbidden(f"At most {MAX_SOCKETS} connections a user. Close one first.")
        self.sockets += 1

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is left to remember of this user."""
        return not self.sockets and self._refilled(time.monotonic()) >= _BURST

    def _refilled(self, now: float) -> float:
        return self._budget + (now - self._updated_at) * _ENTRIES_PER_SECOND

    def count_message(self, message: ClientMessage | None) -> float:
        """Count a message; return for how many seconds it must wait."""
        now = time.monotonic()
        cost = 1 if message is None or isinstance(message, Ping) else len(message.topics)
        self._budget, self._updated_at = min(_BURST, self._refilled(now)) - cost, now
        return max(0.0, -self._budget / _ENTRIES_PER_SECOND)
