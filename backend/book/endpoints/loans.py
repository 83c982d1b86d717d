"""Endpoints of loans as members use them: `/api/v1/loans`."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy.orm import Session

from backend.book import queries
from backend.book.schemas.loans import (
    LoanRead,
    LoanSummary,
    RenewAllBody,
    RenewBody,
    RenewedLoans,
)
from backend.book.service import loan_reads, renewals
from backend.shared.domain import access
from backend.shared.domain.access import Access
from backend.shared.domain.actor import Actor
from backend.shared.errors import (
    Conflict,
    IdempotencyKeyReused,
    NotFound,
    RenewalLimitReached,
    StaleVersion,
)
from backend.shared.infra import clock
from backend.shared.models import Loan, LoanState
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.pagination import PageDep, ordered, paginate_rows
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
    return paginate_rows(reader, statement, page, loan_reads.loan_reader(reader))


@router.get("/summary", summary="Get a summary of loans", responses=responses(NotFound))
def get_loan_summary(
    actor: AnyoneDep,
    reader: ReadDep,
    user_id: Annotated[UUID | None, Query(description="Of one member; staff only")] = None,
) -> Answer[LoanSummary]:
    """Return the caller's open loans, limits and holds. Role: anyone signed in."""
    return answer(loan_reads.read_summary(reader, access.owner_filter(actor, user_id) or actor.id))


@router.put(
    "/renew-all",
    summary="Renew all loans",
    response_model=Answer[RenewedLoans],
    responses=responses(IdempotencyKeyReused),
)
def renew_all_loans(
    actor: AnyoneDep,
    session: SessionDep,
    idempotency: IdempotencyDep,
    body: RenewAllBody | None = None,
) -> Response:
    """Renew every open loan that can be, with the outcome for each. Role: anyone signed in."""
    user_id = access.member_for(session, actor, body.user_id if body else None)
    return idempotency.answer(
        lambda: RenewedLoans(results=renewals.renew_all(session, actor.id, user_id)), status=200
    )


@router.get("/{loan_id}", summary="Get a loan", responses=responses(NotFound))
def get_loan(
    actor: AnyoneDep, reader: ReadDep, loan_id: UUID, response: Response
) -> Answer[LoanRead]:
    """Return an own loan, for staff any, with its `ETag`. Role: anyone signed in."""
    row = loan_reads.find_loan(reader, loan_id)
    access.require(actor, row.user_id, Access.VIEW, "Loan")
    return etags.tagged(response, loan_reads.loan_reader(reader)(row), row.version)


@router.put(
    "/{loan_id}/renew",
    summary="Renew a loan",
    response_model=Answer[LoanRead],
    responses=responses(
        NotFound, RenewalLimitReached, Conflict, StaleVersion, IdempotencyKeyReused
    ),
)
def renew_loan(
    actor: AnyoneDep,
    loan_id: UUID,
    session: SessionDep,
    idempotency: IdempotencyDep,
    body: RenewBody | None = None,
    if_match: etags.IfMatch = None,
) -> Response:
    """Move the due date of an own loan; staff may do so for anyone. Role: anyone signed in.

    A refusal lists all its reasons in `details.reasons`; staff may override some of them.
    """
    override = body.override if body else None
    if override is not None:
        access.require_staff(actor, "override a reason")

    def renew() -> LoanRead:
        own_loan(session, actor, loan_id, if_match)
        renewals.renew(session, actor.id, loan_id, override)
        return loan_reads.read_loan(session.connection(), loan_id)

    return etags.tag_version(idempotency.answer(renew, status=200))


def own_loan(session: Session, actor: Actor, loan_id: UUID, if_match: str | None) -> Loan:
    """Return an own loan, for staff any; another member's is not found."""
    loan = session.get(Loan, loan_id)
    if loan is None:
        raise NotFound("Loan not found.")
    access.require(actor, loan.user_id, Access.VIEW, "Loan")
    etags.check(if_match, loan.version)
    return loan
