"""Values of the texts that an event does not hold as they are shown: dates, lists."""

from datetime import datetime
from typing import Any

from backend.notification.service import templates
from backend.shared.domain.circulation import opening_days
from backend.shared.events import DueDatesReminded, Event, HoldReady


def values_of(event: Event, language: str) -> dict[str, Any]:
    """Return an event's fields, and what its text shows besides."""
    values = event.model_dump(mode="json")
    if isinstance(event, HoldReady):
        values["day"] = _day(event.ready_until, language)
    elif isinstance(event, DueDatesReminded):
        values["loan_ids"] = [str(loan.loan_id) for loan in event.loans]
        values["lines"] = "\n".join(
            templates.render(
                "circulation.overdue_line" if loan.overdue else "circulation.due_line",
                language,
                {"book_title": loan.book_title, "day": _day(loan.due_at, language)},
            )[1]
            for loan in event.loans
        )
    return values


def _day(moment: datetime, language: str) -> str:
    """Format a date in the library's time zone."""
    local = moment.astimezone(opening_days.time_zone())
    return f"{local:%d.%m.%Y}" if language == "de" else f"{local.day} {local:%B %Y}"
