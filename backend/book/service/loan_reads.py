"""Read loans and holds with the actions that are possible on them now."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Protocol, cast
from uuid import UUID

from sqlalchemy import Connection, func, select

from backend.book import queries
from backend.book.schemas.actions import ActionRead, ReasonRead
from backend.book.schemas.holds import HoldRead
from backend.book.schemas.loans import LoanRead, LoanSummary
from backend.shared.domain import refusals
from backend.shared.domain.circulation import loan_policies, opening_days
from backend.shared.domain.circulation.opening_days import Calendar
from backend.shared.domain.refusals import ActionName, Reason
from backend.shared.errors import NotFound
from backend.shared.infra import clock, config
from backend.shared.models import (
    CLOSED_STATUSES,
    BookRequest,
    Custody,
    Hold,
    HoldStatus,
    Loan,
    LoanChannel,
    LoanState,
    User,
)


class LoanRow(Protocol):
    """What is read of a row of `queries.loans`; the other columns are fields of `LoanRead`."""

    id: UUID
    user_id: UUID | None
    copy_id: UUID
    barcode: str
    book_id: UUID
    book_title: str
    borrowed_at: datetime
    due_at: datetime
    returned_at: datetime | None
    renewals: int
    channel: LoanChannel
    state: LoanState
    version: int
    policy: dict[str, Any]
    overdue: bool
    waiting: bool
    returning: bool
    member_active: bool


class HoldRow(Protocol):
    """What is read of a row of `queries.holds`; the other columns are fields of `HoldRead`."""

    user_id: UUID
    status: HoldStatus
    version: int
    position: int | None
    due_dates: list[datetime] | None
    custody: Custody | None
    robot_transportable: bool | None


_UNRESOLVED = frozenset({LoanState.LOST, LoanState.CLAIMED_RETURNED})
_STATE_REASONS = {
    LoanState.LOST: Reason.LOAN_LOST,
    LoanState.CLAIMED_RETURNED: Reason.LOAN_CLAIMED,
}


def action(name: ActionName, reasons: Sequence[Reason]) -> ActionRead:
    """Describe an action; it is allowed when no reason speaks against it."""
    return ActionRead(name=name, allowed=not reasons, reasons=read_reasons(reasons))


def read_reasons(reasons: Iterable[Reason]) -> list[ReasonRead]:
    return [ReasonRead.model_validate(each) for each in refusals.as_json(reasons)]


def renewed_due(loan: Loan | LoanRow, calendar: Calendar) -> datetime:
    """Return the due date that a renewal now would give, by the rules kept with the loan."""
    days = loan.policy.get("loan_days", config.loans().loan_days)
    day = calendar.next_open_day(opening_days.today() + timedelta(days=days))
    zone = opening_days.time_zone()
    return datetime.combine(day, time(23, 59, 59), tzinfo=zone).astimezone(UTC)


def renewal_reasons(loan: LoanRow, calendar: Calendar) -> list[Reason]:
    """List all reasons why a row of `queries.loans` cannot be renewed."""
    if loan.returned_at is not None:
        return [Reason.LOAN_CLOSED]
    limit = loan.policy.get("max_renewals", config.loans().renewals_per_loan)
    checks = {
        Reason.MEMBER_INACTIVE: not loan.member_active,
        Reason.LOAN_LOST: loan.state is LoanState.LOST,
        Reason.LOAN_CLAIMED: loan.state is LoanState.CLAIMED_RETURNED,
        Reason.RETURN_IN_PROGRESS: loan.returning,
        Reason.OTHERS_WAITING: loan.waiting,
        Reason.MAX_RENEWALS: loan.renewals >= limit,
        Reason.TOO_EARLY: renewed_due(loan, calendar) <= loan.due_at,
    }
    return [reason for reason, holds in checks.items() if holds]


def loan(row: LoanRow, calendar: Calendar) -> LoanRead:
    """Build the response of a row of `queries.loans`."""
    closed = [Reason.LOAN_CLOSED] if row.returned_at is not None else []
    in_state = [_STATE_REASONS[row.state]] if row.state in _UNRESOLVED else []
    returning = [Reason.RETURN_IN_PROGRESS] if row.returning else []
    known = [] if row.state in _UNRESOLVED else [Reason.LOAN_NOT_CLAIMED]
    actions = [
        action(ActionName.RENEW, renewal_reasons(row, calendar)),
        action(ActionName.RETURN, closed or [*in_state, *returning]),
        action(ActionName.CHECK_IN, closed),
        action(ActionName.REPORT_LOST, closed or in_state[:1]),
        action(ActionName.CLAIM_RETURNED, closed or in_state[:1]),
        action(ActionName.MARK_FOUND, closed or known),
    ]
    fields = {name: getattr(row, name) for name in LoanRead.model_fields if name != "actions"}
    return LoanRead(**fields, actions=actions)


def loan_reader(connection: Connection) -> Callable[[LoanRow], LoanRead]:
    """Return `loan` with the calendar as it is now."""
    calendar = opening_days.read(connection)
    return lambda row: loan(row, calendar)


def find_loan(connection: Connection, loan_id: UUID) -> LoanRow:
    """Select one loan; NotFound for an unknown one."""
    row = connection.execute(queries.loan(loan_id, clock.now())).one_or_none()
    if row is None:
        raise NotFound("Loan not found.")
    return cast(LoanRow, row)


def read_loan(connection: Connection, loan_id: UUID) -> LoanRead:
    """Read a loan that exists."""
    return loan_reader(connection)(find_loan(connection, loan_id))


def _expected_at(row: HoldRow) -> datetime | None:
    """Estimate by the due dates of the lent copies when one comes to a queued hold."""
    if row.position is None or not row.due_dates:
        return None
    rounds, place = divmod(row.position - 1, len(row.due_dates))
    later = timedelta(days=config.loans().loan_days * rounds)
    return max(row.due_dates[place], clock.now()) + later


def hold_reasons(row: HoldRow) -> list[Reason]:
    """List the reasons why a hold cannot be cancelled."""
    if row.status not in {HoldStatus.QUEUED, HoldStatus.READY}:
        return [Reason.HOLD_CLOSED]
    moving = row.status is HoldStatus.READY and row.custody is not Custody.ON_HOLD_SHELF
    return [Reason.ON_THE_WAY] if moving else []


def hold(row: HoldRow) -> HoldRead:
    """Build the response of a row of `queries.holds`."""
    cancel = hold_reasons(row)
    suspend = [Reason.HOLD_READY] if row.status is HoldStatus.READY else cancel
    request = cancel or ([] if row.status is HoldStatus.READY else [Reason.HOLD_NOT_READY])
    if row.status is HoldStatus.READY and not row.robot_transportable:
        request = [*request, Reason.NOT_TRANSPORTABLE]
    actions = [
        action(ActionName.REQUEST, request),
        action(ActionName.SUSPEND, suspend),
        action(ActionName.CANCEL_HOLD, cancel),
    ]
    computed = {"actions", "expected_at"}
    fields = {name: getattr(row, name) for name in HoldRead.model_fields if name not in computed}
    return HoldRead(**fields, expected_at=_expected_at(row), actions=actions)


def find_hold(connection: Connection, hold_id: UUID) -> HoldRow:
    """Select one hold; NotFound for an unknown one."""
    row = connection.execute(queries.hold(hold_id)).one_or_none()
    if row is None:
        raise NotFound("Hold not found.")
    return cast(HoldRow, row)


def read_hold(connection: Connection, hold_id: UUID) -> HoldRead:
    """Read a hold that exists."""
    return hold(find_hold(connection, hold_id))


def read_summary(connection: Connection, user_id: UUID) -> LoanSummary:
    """Read the summary; NotFound for an unknown member."""
    role = connection.execute(select(User.role).where(User.id == user_id)).scalar_one_or_none()
    if role is None:
        raise NotFound("Member not found.")
    policy = loan_policies.policy(connection, role)
    loans = connection.execute(
        select(
            func.count().label("open"),
            func.count().filter(Loan.due_at < clock.now()).label("overdue"),
            func.min(Loan.due_at).label("next_due_at"),
        ).where(Loan.user_id == user_id, Loan.returned_at.is_(None))
    ).one()
    requests = connection.execute(
        select(func.count())
        .select_from(BookRequest)
        .where(BookRequest.user_id == user_id, BookRequest.status.not_in(CLOSED_STATUSES))
    ).scalar_one()
    holds = connection.execute(
        select(
            func.count().filter(Hold.status == HoldStatus.QUEUED).label("waiting"),
            func.count().filter(Hold.status == HoldStatus.READY).label("ready"),
        ).where(Hold.user_id == user_id)
    ).one()
    return LoanSummary(
        user_id=user_id,
        open=loans.open,
        overdue=loans.overdue,
        open_requests=requests,
        limit=policy.max_loans,
        remaining=max(0, policy.max_loans - loans.open - requests),
        next_due_at=loans.next_due_at,
        holds_waiting=holds.waiting,
        holds_ready=holds.ready,
        holds_limit=policy.max_holds,
    )
