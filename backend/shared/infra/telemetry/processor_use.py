"""How busy the processors of this machine are."""

from pathlib import Path

_STAT = Path("/proc/stat")
_MOSTLY = 0.5


def _read_times() -> tuple[int, int]:
    """Return the time that the processors were idle since the start of the machine, and all time.

    Both are 0 where the system does not tell.
    """
    try:
        times = [int(each) for each in _STAT.read_text().split("\n", 1)[0].split()[1:9]]
    except (OSError, ValueError):
        return 0, 0
    _user, _nice, _system, idle, waiting_for_disk, *_ = times
    return idle + waiting_for_disk, sum(times)


class ProcessorUse:
    """The use of all processors together, from one look to the next."""

    def __init__(self) -> None:
        self._idle, self._all = _read_times()

    def is_mostly_idle(self) -> bool:
        """Return whether they were idle for half of the time since the last look."""
        idle, total = self._idle, self._all
        self._idle, self._all = _read_times()
        return self._idle - idle > _MOSTLY * (self._all - total)
