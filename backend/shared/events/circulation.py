"""Loans and holds."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from backend.shared.events.base import RegisteredEvent


class _LoanEvent(RegisteredEvent):
    SOURCE = "book-service"
    AGGREGATE = "loan"
    loan_id: UUID
    user_id: UUID | None
    book_id: UUID
    copy_id: UUID
    book_title: str
    due_at: datetime


class LoanOpened(_LoanEvent):
    """A copy was lent to a member, with a due date."""

    TYPE = "circulation.loan.opened"


class LoanRenewed(_LoanEvent):
    """The due date of a loan was moved."""

    TYPE = "circulation.loan.renewed"


class LoanDueSoon(_LoanEvent):
    """The due date of an open loan is near; `DueDatesReminded` notifies the member."""

    TYPE = "circulation.loan.due_soon"


class LoanOverdue(_LoanEvent):
    """An open loan is past its due date; `step` counts the notices about it."""

    TYPE = "circulation.loan.overdue"
    step: int


class LoanClosed(_LoanEvent):
    """Staff received a lent copy."""

    TYPE = "circulation.loan.closed"


class DueLoan(BaseModel):
    """One loan in a digest."""

    loan_id: UUID
    book_title: str
    due_at: datetime
    overdue: bool


class DueDatesReminded(RegisteredEvent):
    """The digest of a member's loans that are due soon or overdue: at most one a day."""

    TYPE = "circulation.member.reminded"
    SOURCE = "book-service"
    AGGREGATE = "user"
    user_id: UUID
    loans: list[DueLoan]


class _HoldEvent(RegisteredEvent):
    SOURCE = "book-service"
    AGGREGATE = "hold"
    hold_id: UUID
    user_id: UUID
    book_id: UUID
    book_title: str


class HoldPlaced(_HoldEvent):
    """A member joined the queue for a title."""

    TYPE = "circulation.hold.placed"


class HoldReady(_HoldEvent):
    """A copy is kept for a member on the hold shelf."""

    TYPE = "circulation.hold.ready"
    copy_id: UUID
    ready_until: datetime


class HoldExpired(_HoldEvent):
    """A copy was kept for a member and not fetched in time; it went to the next in the queue."""

    TYPE = "circulation.hold.expired"


class HoldCancelled(_HoldEvent):
    """A member left the queue for a title."""

    TYPE = "circulation.hold.cancelled"
