"""Loans."""

from datetime import datetime
from uuid import UUID

from backend.shared.events.base import Registered


class _LoanEvent(Registered):
    SOURCE = "book-service"
    AGGREGATE = "loan"
    loan_id: UUID
    user_id: UUID | None
    book_id: UUID
    copy_id: UUID
    book_title: str
    due_at: datetime


class LoanOpened(_LoanEvent):
    TYPE = "circulation.loan.opened"


class LoanClosed(_LoanEvent):
    TYPE = "circulation.loan.closed"
