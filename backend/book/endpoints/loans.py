"""Endpoints of loans: `/api/v1/loans`. `shared.domain.custody` opens and closes them."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from backend.book import queries
from backend.book.schemas.loans import LoanRead
from backend.shared.domain import access
from backend.shared.domain.access import Access
from backend.shared.errors import NotFound
from backend.shared.infra import clock
from backend.shared.models import Loan, LoanState
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.routing import responses
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/loans", "loans")


@router.get("", summary="List loans", responses=responses())
def list_loans(
    actor: AnyoneDep,
    reader: ReadDep,
    page: PageDep,
    user_id: Annotated[UUID | None, Query(description="Of one member; staff only")] = None,
    status: Annotated[LoanState | None, Query()] = None,
    overdue: Annotated[bool | None, Query(description="Open and past the due date")] = None,
) -> PageAnswer[LoanRead]:
    """Return the caller's loans, for staff those of all members. Role: anyone signed in.

    Sort: borrowed_at (newest first), due_at.
    """
    statement = queries.loans(now=clock.now(), user_id=user_id, status=status, overdue=overdue)
    if (owner := access.owner_filter(actor, user_id)) is not None:
        statement = statement.where(Loan.user_id == owner)
    statement = ordered(
        statement, page, queries.LOAN_SORTS, default="-borrowed_at", tiebreak=Loan.id
    )
    return paginate(reader, statement, page, LoanRead)


@router.get("/{loan_id}", summary="Get a loan", responses=responses(NotFound))
def get_loan(actor: AnyoneDep, reader: ReadDep, loan_id: UUID) -> Answer[LoanRead]:
    """Return an own loan, for staff any. Role: anyone signed in."""
    row = reader.execute(queries.loans(now=clock.now()).where(Loan.id == loan_id)).one_or_none()
    if row is None:
        raise NotFound("Loan not found.")
    access.require(actor, row.user_id, Access.VIEW, "Loan")
    return answer(LoanRead.model_validate(row))
