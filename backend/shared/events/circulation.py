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
    """A member has a copy and a day by which it is due."""

    TYPE = "circulation.loan.opened"


class LoanClosed(_LoanEvent):
    """Staff have a lent copy in hand again."""

    TYPE = "circulation.loan.closed"
