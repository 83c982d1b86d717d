"""Response models of loans."""

from uuid import UUID

from backend.shared.models import LoanChannel, LoanState
from backend.shared.web.schemas import ResponseModel, Timestamp


class LoanRead(ResponseModel):
    """A loan; `overdue` is computed at each read."""

    id: UUID
    user_id: UUID | None
    copy_id: UUID
    barcode: str
    book_id: UUID
    book_title: str
    borrowed_at: Timestamp
    due_at: Timestamp
    returned_at: Timestamp | None
    processed_at: Timestamp | None
    renewals: int
    channel: LoanChannel
    state: LoanState
    overdue: bool
