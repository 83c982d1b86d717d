"""Read and replace the loan policies and the calendar."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, select
from sqlalchemy.orm import Session

from backend.book.schemas.rules import (
    CalendarBody,
    DateHours,
    PoliciesBody,
    PolicyBody,
    WeekdayHours,
)
from backend.shared.domain import audit
from backend.shared.domain.circulation import loan_policies, opening_days
from backend.shared.errors import invalid
from backend.shared.models import CalendarEntry, CopyKind, LoanPolicy, Role

_BORROWERS = (Role.STUDENT, Role.LIBRARIAN, Role.ADMIN)


def policies(reader: Connection | Session) -> PoliciesBody:
    """Return the rules in effect for every role and kind of copy."""
    return PoliciesBody(
        policies=[
            PolicyBody(role=role, kind=kind, **loan_policies.policy(reader, role, kind).snapshot())
            for role in _BORROWERS
            for kind in CopyKind
        ]
    )


def replace_policies(session: Session, actor_id: UUID, body: PoliciesBody) -> PoliciesBody:
    """Set the policies; loans that are open keep the rules under which they were made."""
    before = policies(session)
    session.execute(delete(LoanPolicy))
    session.add_all(LoanPolicy(**each.model_dump()) for each in body.policies)
    session.flush()
    _record(session, actor_id, "loan_policies", before.model_dump(mode="json"), body)
    return policies(session)


def calendar(reader: Connection | Session) -> CalendarBody:
    """Return the calendar as it was set."""
    columns = CalendarEntry.__table__.c
    rows = reader.execute(
        select(columns.weekday, columns.day, columns.opens, columns.closes, columns.note).order_by(
            columns.weekday, columns.day
        )
    ).all()
    return CalendarBody(
        weekly=[
            WeekdayHours(weekday=row.weekday, opens=row.opens, closes=row.closes)
            for row in rows
            if row.weekday is not None
        ],
        dates=[
            DateHours(day=row.day, opens=row.opens, closes=row.closes, note=row.note)
            for row in rows
            if row.day is not None
        ],
    )


def replace_calendar(session: Session, actor_id: UUID, body: CalendarBody) -> CalendarBody:
    """Set the calendar; Invalid when the library would not open within a year.

    Due dates that are set already stay.
    """
    before = calendar(session)
    session.execute(delete(CalendarEntry))
    session.add_all(CalendarEntry(**each.model_dump()) for each in [*body.weekly, *body.dates])
    session.flush()
    if not opening_days.read(session).has_open_day(opening_days.today()):
        raise invalid("weekly", "must leave an open day within a year")
    _record(session, actor_id, "calendar", before.model_dump(mode="json"), body)
    return body


def _record(
    session: Session,
    actor_id: UUID,
    kind: str,
    before: dict[str, Any],
    after: PoliciesBody | CalendarBody,
) -> None:
    audit.record(
        session,
        actor_id=actor_id,
        action=f"{kind}.replace",
        resource=(kind, None),
        changes={"before": before, "after": after.model_dump(mode="json")},
    )
