"""Endpoints of holds: `/api/v1/holds`."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from sqlalchemy.orm import Session

from backend.book import queries
from backend.book.schemas.holds import HoldCreate, HoldRead, SuspendBody
from backend.book.service import holds, loan_reads
from backend.shared.domain import access
from backend.shared.domain.access import Access
from backend.shared.domain.actor import Actor
from backend.shared.errors import (
    AlreadyRequested,
    Conflict,
    Forbidden,
    HoldExists,
    IdempotencyKeyReused,
    NotFound,
    StaleVersion,
)
from backend.shared.models import Hold, HoldStatus
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.pagination import PageDep, ordered, paginate_rows
from backend.shared.web.routing import responses
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/holds", "holds")
_CHANGE = responses(NotFound, Conflict, StaleVersion, IdempotencyKeyReused)


@router.get("", summary="List holds", responses=responses())
def list_holds(
    actor: AnyoneDep,
    reader: ReadDep,
    page: PageDep,
    user_id: Annotated[UUID | None, Query(description="Of one member; staff only")] = None,
    book_id: Annotated[UUID | None, Query()] = None,
    status: Annotated[HoldStatus | None, Query()] = None,
) -> PageAnswer[HoldRead]:
    """Return the caller's holds, for staff those of all members. Role: anyone signed in.

    Sort: placed_at (newest first).
    """
    statement = queries.holds(access.owner_filter(actor, user_id), book_id, status)
    statement = ordered(statement, page, queries.HOLD_SORTS, default="-placed_at", tiebreak=Hold.id)
    return paginate_rows(reader, statement, page, loan_reads.hold)


@router.post(
    "",
    summary="Place a hold",
    status_code=201,
    response_model=Answer[HoldRead],
    responses=responses(
        NotFound, HoldExists, AlreadyRequested, Conflict, Forbidden, IdempotencyKeyReused
    ),
)
def place_hold(
    actor: AnyoneDep, body: HoldCreate, session: SessionDep, idempotency: IdempotencyDep
) -> Response:
    """Join the queue for a book with no free copy. Role: anyone signed in.

    The copy that comes back is kept for the first in the queue. A refusal lists all its reasons in
    `details.reasons`; staff may override some of them.
    """
    if body.override is not None:
        access.require_staff(actor, "override a reason")

    def place() -> HoldRead:
        member = access.member_for(session, actor, body.user_id)
        hold = holds.place(session, actor.id, member, body.book_id, body.override)
        return loan_reads.read_hold(session.connection(), hold.id)

    return idempotency.answer(place, location=lambda hold: f"/api/v1/holds/{hold.id}")


@router.get("/{hold_id}", summary="Get a hold", responses=responses(NotFound))
def get_hold(
    actor: AnyoneDep, reader: ReadDep, hold_id: UUID, response: Response
) -> Answer[HoldRead]:
    """Return an own hold, for staff any, with its place in the queue. Role: anyone signed in."""
    row = loan_reads.find_hold(reader, hold_id)
    access.require(actor, row.user_id, Access.VIEW, "Hold")
    return etags.tagged(response, loan_reads.hold(row), row.version)


@router.put(
    "/{hold_id}/suspend",
    summary="Suspend a hold",
    response_model=Answer[HoldRead],
    responses=_CHANGE,
)
def suspend_hold(
    actor: AnyoneDep,
    hold_id: UUID,
    session: SessionDep,
    idempotency: IdempotencyDep,
    body: SuspendBody | None = None,
    if_match: etags.IfMatch = None,
) -> Response:
    """Keep no copy for an own hold until a time, or resume it. Role: anyone signed in.

    The hold keeps its place in the queue.
    """

    def suspend() -> HoldRead:
        hold = _own_hold(session, actor, hold_id, if_match)
        holds.suspend(session, actor.id, hold, body.until if body else None)
        session.flush()
        return loan_reads.read_hold(session.connection(), hold_id)

    return etags.tag_version(idempotency.answer(suspend, status=200))


@router.delete(
    "/{hold_id}", summary="Cancel a hold", response_model=Answer[None], responses=_CHANGE
)
def cancel_hold(
    actor: AnyoneDep,
    hold_id: UUID,
    session: SessionDep,
    idempotency: IdempotencyDep,
    if_match: etags.IfMatch = None,
) -> Response:
    """Leave the queue; a copy that was kept goes to the next member. Role: anyone signed in."""

    def cancel() -> None:
        holds.cancel(session, actor.id, _own_hold(session, actor, hold_id, if_match))

    return idempotency.answer(cancel, status=200)


def _own_hold(session: Session, actor: Actor, hold_id: UUID, if_match: str | None) -> Hold:
    """Return an own hold, for staff any; another member's is not found."""
    hold = session.get(Hold, hold_id)
    if hold is None:
        raise NotFound("Hold not found.")
    access.require(actor, hold.user_id, Access.VIEW, "Hold")
    etags.check(if_match, hold.version)
    return hold
