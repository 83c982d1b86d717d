"""The library's calendar: due dates fall on days on which it is open."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from backend.shared.infra import clock, config
from backend.shared.models import CalendarEntry

Hours = tuple[time, time]
_DAYS_AHEAD = 366  # in which an open day must lie
_SUNDAY = 6
_USUAL_HOURS = (time(8), time(20))


@dataclass(frozen=True)
class Calendar:
    """Opening hours by day of the week (0 is Monday) and by date; no hours mean closed."""

    weekly: dict[int, Hours | None] = field(default_factory=dict)
    dates: dict[date, Hours | None] = field(default_factory=dict)

    def hours(self, day: date) -> Hours | None:
        if day in self.dates:
            return self.dates[day]
        usual = None if day.weekday() == _SUNDAY else _USUAL_HOURS
        return self.weekly.get(day.weekday(), None if self.weekly else usual)

    def next_open_day(self, day: date) -> date:
        """Return the first open day from `day` on; `day` itself when a year has none."""
        ahead = (day + timedelta(days=n) for n in range(_DAYS_AHEAD))
        return next((each for each in ahead if self.hours(each) is not None), day)

    def has_open_day(self, start: date) -> bool:
        return self.hours(self.next_open_day(start)) is not None


def read(session: Session | Connection) -> Calendar:
    """Read the calendar."""
    weekly: dict[int, Hours | None] = {}
    dates: dict[date, Hours | None] = {}
    columns = (CalendarEntry.weekday, CalendarEntry.day, CalendarEntry.opens, CalendarEntry.closes)
    for entry in session.execute(select(*columns)).all():
        hours = (entry.opens, entry.closes) if entry.opens and entry.closes else None
        if entry.day is not None:
            dates[entry.day] = hours
        elif entry.weekday is not None:
            weekly[entry.weekday] = hours
    return Calendar(weekly, dates)


def time_zone() -> ZoneInfo:
    """Return the time zone of the library."""
    return ZoneInfo(config.http().time_zone)


def today() -> date:
    """Return the date in the library's time zone."""
    return clock.now().astimezone(time_zone()).date()


def end_of_open_day(session: Session, days: int) -> datetime:
    """Return the end of the day `days` from today, or of the next day that is open, in UTC."""
    day = read(session).next_open_day(today() + timedelta(days=days))
    return datetime.combine(day, time(23, 59, 59), tzinfo=time_zone()).astimezone(UTC)
