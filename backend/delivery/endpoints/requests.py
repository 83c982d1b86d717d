"""`/requests`: a student wants a copy brought."""

from typing import Annotated
from uuid import UUID

from fastapi import Body, Query, Response

from backend.delivery import queries
from backend.delivery.dependencies import OwnRequestDep, RequestToCancelDep
from backend.delivery.schemas.requests import (
    RequestComplete,
    RequestCreate,
    RequestDetail,
    RequestRead,
)
from backend.delivery.schemas.tasks import CancelBody
from backend.delivery.service import read_models
from backend.delivery.service import requests as service
from backend.shared.errors import (
    AlreadyRequested,
    BookNotAvailable,
    Forbidden,
    InvalidStateTransition,
    LoanLimitReached,
    NotFound,
    UnknownLocation,
)
from backend.shared.models import BookRequest, RequestStatus
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.pagination import PageDep, listed, ordered
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/requests", "requests")


@router.post(
    "",
    summary="Ask for a book at a place",
    status_code=201,
    response_model=Answer[RequestDetail],
    responses=routing.responses(
        NotFound, BookNotAvailable, AlreadyRequested, LoanLimitReached, UnknownLocation
    ),
)
def create(
    body: Annotated[
        RequestCreate,
        Body(
            examples=[
                {
                    "book_id": "01980000-0000-7000-8000-000000000000",
                    "request_location": "Study Room 201",
                }
            ]
        ),
    ],
    session: SessionDep,
    actor: AnyoneDep,
    once: IdempotencyDep,
) -> Response:
    """Role: all. Reserves a copy and makes the journey in one transaction."""

    def work() -> RequestDetail:
        made = service.create(
            session, actor, body.book_id, body.request_location, body.notes, body.user_id
        )
        return read_models.request_detail(session, made.id, actor)

    return once.answer(work, location=lambda made: f"/api/v1/requests/{made.id}")


@router.get("", summary="My requests; all of them for staff")
def list_requests(
    reader: ReadDep,
    actor: AnyoneDep,
    page: PageDep,
    status: RequestStatus | None = None,
    user_id: Annotated[UUID | None, Query(description="Staff: of this member")] = None,
) -> PageAnswer[RequestRead]:
    """Role: all. Newest first; sort by `requested_at`, `status`."""
    question = queries.requests()
    if not actor.is_staff:
        user_id = actor.id
    if user_id is not None:
        question = question.where(BookRequest.user_id == user_id)
    if status is not None:
        question = question.where(BookRequest.status == status)
    columns = {"requested_at": BookRequest.requested_at, "status": BookRequest.status}
    question = ordered(question, page, columns, default="-requested_at", tiebreak=BookRequest.id)
    return listed(reader, question, page, lambda row: read_models.request_of(row, actor))


@router.get(
    "/{request_id}", summary="One request with its journey", responses=routing.responses(NotFound)
)
def read(request_id: UUID, session: SessionDep, actor: AnyoneDep) -> Answer[RequestDetail]:
    """Role: all (own). The hand-over code is shown to the requester once the robot is there."""
    return answer(read_models.request_detail(session, request_id, actor))


@router.put(
    "/{request_id}/cancel",
    summary="Call a request off",
    responses=routing.responses(NotFound, Forbidden, InvalidStateTransition),
)
def cancel(
    request: RequestToCancelDep,
    session: SessionDep,
    actor: AnyoneDep,
    body: CancelBody | None = None,
) -> Answer[RequestDetail]:
    """Role: own, admin. Until it has been handed over; a loaded robot brings the book back."""
    service.cancel(session, request.id, actor, body.reason if body else None)
    return answer(read_models.request_detail(session, request.id, actor))


@router.put(
    "/{request_id}/complete",
    summary="I have the book",
    responses=routing.responses(NotFound, InvalidStateTransition),
)
def complete(
    request: OwnRequestDep,
    session: SessionDep,
    actor: AnyoneDep,
    body: RequestComplete | None = None,
) -> Answer[RequestDetail]:
    """Role: own; librarian with the member's `handover_code` or, audited, a `reason`."""
    given = body or RequestComplete()
    service.complete(session, request.id, actor, given.handover_code, given.reason)
    return answer(read_models.request_detail(session, request.id, actor))
