"""Request and response models of loan policies and the calendar."""

from datetime import date
from typing import Annotated, Self

from pydantic import ConfigDict, Field, JsonValue, model_validator

from backend.book.schemas import field_types
from backend.shared.models import CopyKind, Role
from backend.shared.web.schemas import LocalTime, RequestModel

_Days = Annotated[int, Field(strict=True, ge=1, le=3650)]
_Count = Annotated[int, Field(strict=True, ge=0, le=10_000)]
_POLICY: dict[str, JsonValue] = {
    "role": "STUDENT",
    "kind": "SHORT_LOAN",
    "loan_days": 3,
    "max_renewals": 1,
    "max_loans": 20,
    "max_overdue": 5,
    "max_holds": 10,
    "hold_days": 2,
}
_HOURS = {"opens": "08:00:00", "closes": "20:00:00"}


class PolicyBody(RequestModel):
    """The rules for one role and one kind of copy; limits count all loans of a member."""

    model_config = ConfigDict(from_attributes=True)

    role: Role
    kind: CopyKind
    loan_days: _Days
    max_renewals: _Count
    max_loans: _Count
    max_overdue: Annotated[int, Field(strict=True, ge=1, le=10_000)]
    max_holds: _Count
    hold_days: _Days

    @model_validator(mode="after")
    def _is_of_people(self) -> Self:
        if self.role is Role.ROBOT:
            raise ValueError("robots borrow nothing")
        return self


class PoliciesBody(RequestModel):
    """All policies; the settings apply to a role and kind that is not listed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"policies": [_POLICY]}]})

    policies: list[PolicyBody] = Field(max_length=20)

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len({(each.role, each.kind) for each in self.policies}) < len(self.policies):
            raise ValueError("each role and kind may be listed once")
        return self


class _Hours(RequestModel):
    opens: LocalTime | None = None
    closes: LocalTime | None = None

    @model_validator(mode="after")
    def _are_in_order(self) -> Self:
        if (self.opens is None) != (self.closes is None):
            raise ValueError("give both opens and closes, or neither for a closed day")
        if self.opens is not None and self.closes is not None and self.opens >= self.closes:
            raise ValueError("opens must be before closes")
        return self


class WeekdayHours(_Hours):
    """Hours of a day of the week; without hours it is closed."""

    weekday: int = Field(strict=True, ge=0, le=6, description="0 is Monday")


class DateHours(_Hours):
    """Hours of one date, which replace those of its day of the week."""

    day: date
    note: field_types.OptionalLine = None


class CalendarBody(RequestModel):
    """Opening hours; a day of the week that is not listed is closed.

    Without any entry the library is open from Monday to Saturday.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "weekly": [{"weekday": day, **_HOURS} for day in range(5)],
                    "dates": [{"day": "2026-12-25", "note": "Christmas"}],
                }
            ]
        }
    )

    weekly: list[WeekdayHours] = Field(default=[], max_length=7)
    dates: list[DateHours] = Field(default=[], max_length=1000)

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len({each.weekday for each in self.weekly}) < len(self.weekly):
            raise ValueError("each weekday may be listed once")
        if len({each.day for each in self.dates}) < len(self.dates):
            raise ValueError("each date may be listed once")
        return self
