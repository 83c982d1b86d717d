"""The clock of all processes; tests move it through a file (`LUNA_CLOCK_FILE`)."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backend.shared.infra import config


class _Offset:
    """The seconds in the clock file, read again only when another file has replaced it."""

    def __init__(self) -> None:
        self._stamp = (0, 0)  # inode and time: two files may be written at the same time
        self._value = timedelta()

    def read(self, path: Path) -> timedelta:
        try:
            found = os.stat(path)  # noqa: PTH116 (called for every timestamp: the fast form)
            stamp = (found.st_ino, found.st_mtime_ns)
            if stamp != self._stamp:
                self._value = timedelta(seconds=float(path.read_text()))
                self._stamp = stamp
        except FileNotFoundError:
            return timedelta()
        return self._value


_offset = _Offset()


def now() -> datetime:
    """Return the current time: UTC, timezone-aware."""
    path = config.process().clock_file
    moment = datetime.now(UTC)
    return moment if path is None else moment + _offset.read(path)


def iso(moment: datetime) -> str:
    """Format a time as ISO 8601 in UTC with milliseconds: `2026-01-15T10:30:00.123Z`."""
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat(timespec="milliseconds")[:-6] + "Z"  # for +00:00
