"""Endpoints of loans at the desk: `/api/v1/loans`."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.book.endpoints.loans import own_loan
from backend.book.schemas.loans import (
    CheckInBody,
    CheckInResult,
    CheckOutBody,
    CheckOutPreview,
    KeptFor,
    LoanRead,
)
from backend.book.service import check_in, check_out, loan_reads
from backend.book.service.check_in import Received
from backend.shared.domain import refusals
from backend.shared.errors import (
    AccountInactive,
    BookNotAvailable,
    Conflict,
    IdempotencyKeyReused,
    LoanLimitReached,
    NotFound,
    RoleNotAllowed,
    StaleVersion,
)
from backend.shared.models import Book, User
from backend.shared.web import etags, routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer, json_response
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.routing import responses
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/loans", "loans")


@router.post(
    "",
    summary="Check out a copy",
    status_code=201,
    response_model=Answer[LoanRead],
    responses={
        **responses(
            *(NotFound, BookNotAvailable, LoanLimitReached, Conflict, AccountInactive),
            *(IdempotencyKeyReused, RoleNotAllowed),
        ),
        200: {"model": Answer[CheckOutPreview], "description": "The answer to a dry run"},
    },
)
def check_out_copy(
    actor: StaffDep, body: CheckOutBody, session: SessionDep, idempotency: IdempotencyDep
) -> Response:
    """Lend a copy, by barcode, or any free copy of a book. Role: librarian, admin.

    A refusal lists all its reasons in `details.reasons`; `override` names those that staff set
    aside, with a note. `dry_run` only says whether the loan is possible.
    """
    if body.dry_run:
        return json_response(_preview(session, body))

    def lend() -> LoanRead:
        examined = check_out.examine(session, body.user_id, body.copy_barcode, body.book_id)
        loan = check_out.lend(session, actor.id, examined, override=body.override)
        return loan_reads.read_loan(session.connection(), loan.id)

    return idempotency.answer(lend, location=lambda loan: f"/api/v1/loans/{loan.id}")


def _preview(session: Session, body: CheckOutBody) -> CheckOutPreview:
    examined = check_out.examine(session, body.user_id, body.copy_barcode, body.book_id)
    codes = body.override.codes if body.override else []
    reasons = refusals.not_overridden(examined.reasons, codes)
    return CheckOutPreview(
        allowed=not reasons,
        reasons=loan_reads.read_reasons(reasons),
        barcode=examined.copy.barcode if examined.copy else None,
        due_at=check_out.due_date(session, examined),
    )


@router.post(
    "/check-in",
    summary="Check in a copy",
    response_model=Answer[CheckInResult],
    responses=responses(NotFound, Conflict, IdempotencyKeyReused, RoleNotAllowed),
)
def check_in_copy(
    actor: StaffDep, body: CheckInBody, session: SessionDep, idempotency: IdempotencyDep
) -> Response:
    """Receive a copy, whoever brings it; says where it goes. Role: librarian, admin.

    A copy that is not on loan is shelved if it was missing or at a desk. A pick-up of the loan by
    a robot is cancelled.
    """
    return idempotency.answer(
        lambda: _result(
            session, check_in.receive(session, actor.id, body.copy_barcode, body.condition)
        ),
        status=200,
    )


def _result(session: Session, received: Received) -> CheckInResult:
    copy, hold = received.copy, received.hold
    title = session.execute(select(Book.title).where(Book.id == copy.book_id)).scalar_one()
    connection = session.connection()
    return CheckInResult(
        loan=loan_reads.read_loan(connection, received.loan.id) if received.loan else None,
        copy_id=copy.id,
        barcode=copy.barcode,
        book_id=copy.book_id,
        book_title=title,
        destination=received.destination,
        shelf_location=copy.shelf_location,
        kept_for=KeptFor(
            hold_id=hold.id,
            user_id=hold.user_id,
            member_name=session.get_one(User, hold.user_id).full_name,
            ready_until=hold.ready_until,
        )
        if hold is not None and hold.ready_until is not None
        else None,
    )


class _LoanChange:
    """A change of one loan by staff: its preconditions, and its answer once per key."""

    def __init__(
        self,
        actor: StaffDep,
        loan_id: UUID,
        session: SessionDep,
        idempotency: IdempotencyDep,
        if_match: etags.IfMatch = None,
    ) -> None:
        self._actor, self._loan_id, self._session = actor, loan_id, session
        self._idempotency, self._if_match = idempotency, if_match

    def answer(self, change: Callable[[Session, UUID, UUID], object]) -> Response:
        """Apply `change` to session, actor and loan, and return the loan with its `ETag`."""

        def work() -> LoanRead:
            own_loan(self._session, self._actor, self._loan_id, self._if_match)
            change(self._session, self._actor.id, self._loan_id)
            self._session.flush()
            return loan_reads.read_loan(self._session.connection(), self._loan_id)

        return etags.tag_version(self._idempotency.answer(work, status=200))


_LoanChangeDep = Annotated[_LoanChange, Depends()]
_CHANGE: dict[str, Any] = {
    "response_model": Answer[LoanRead],
    "responses": responses(NotFound, Conflict, RoleNotAllowed, StaleVersion, IdempotencyKeyReused),
}


@router.put("/{loan_id}/return", summary="Take back a loan at the desk", **_CHANGE)
def return_loan(change: _LoanChangeDep) -> Response:
    """End a loan as check-in does; repeating it changes nothing. Role: librarian, admin."""
    return change.answer(check_in.close)


@router.put("/{loan_id}/lost", summary="Report a lost copy", **_CHANGE)
def report_loan_lost(change: _LoanChangeDep) -> Response:
    """Record that the copy is lost; the loan stays open. Role: librarian, admin."""
    return change.answer(check_in.report_lost)


@router.put("/{loan_id}/claimed-returned", summary="Record a claimed return", **_CHANGE)
def claim_loan_returned(change: _LoanChangeDep) -> Response:
    """Record that the member says to have returned the copy. Role: librarian, admin.

    No more notices are sent; the loan stays open until the copy is found.
    """
    return change.answer(check_in.claim_returned)


@router.put("/{loan_id}/found", summary="Record a found copy", **_CHANGE)
def mark_loan_found(change: _LoanChangeDep) -> Response:
    """End the loan of a copy that was lost or claimed returned. Role: librarian, admin."""
    return change.answer(check_in.mark_found)
