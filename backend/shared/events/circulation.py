"""Loans."""

from datetime import datetime
from uuid import UUID

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


class LoanClosed(_LoanEvent):
    """Staff received a lent copy."""

    TYPE = "circulation.loan.closed"
