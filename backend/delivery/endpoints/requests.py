"""Endpoints of `/requests`: a robot brings a copy to a member."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from backend.delivery import dependencies, queries
from backend.delivery.dependencies import (
    OwnRequestDep,
    VisibleRequestDep,
)
from backend.delivery.schemas.requests import (
    ProblemRead,
    ProblemReport,
    QuoteRead,
    RequestComplete,
    RequestCreate,
    RequestDetail,
    RequestPlace,
    RequestRead,
)
from backend.delivery.schemas.tasks import CancelBody
from backend.delivery.service import arrivals, handover, read_models
from backend.delivery.service import requests as service
from backend.shared.domain import access
from backend.shared.errors import (
    AlreadyRequested,
    BookNotAvailable,
    Conflict,
    Forbidden,
    InvalidStateTransition,
    LoanLimitReached,
    NotFound,
    StaleVersion,
    UnknownLocation,
    WrongCode,
)
from backend.shared.infra.hot_transactions import Transaction
from backend.shared.models import RequestStatus
from backend.shared.web import etags, routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.idempotency import HotIdempotencyDep, IdempotencyDep
from backend.shared.web.pagination import PageDep
from backend.shared.web.schemas import EmptyBody
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/requests", "requests")


@router.post(
    "",
    summary="Create a request",
    status_code=201,
    response_model=Answer[RequestDetail],
    responses=routing.responses(
        NotFound, BookNotAvailable, AlreadyRequested, LoanLimitReached, UnknownLocation
    ),
)
async def create_request(
    body: RequestCreate, actor: AnyoneDep, once: HotIdempotencyDep
) -> Response:
    """Role: all. Reserves a copy and creates the delivery task in one transaction."""

    async def create(transaction: Transaction) -> RequestDetail:
        made = await service.create(
            transaction, actor, body.book_id, body.request_location, body.notes, body.user_id
        )
        return read_models.new_request(made, actor)

    return await once.answer(
        create,
        subject=body.user_id or actor.id,
        location=lambda request: f"/api/v1/requests/{request.id}",
    )


@router.get("", summary="List requests", response_model=PageAnswer[RequestRead])
async def list_requests(
    actor: AnyoneDep,
    page: PageDep,
    status: RequestStatus | None = None,
    user_id: Annotated[UUID | None, Query(description="Librarians: of this member")] = None,
) -> Response:
    """Role: all (own; librarians see all). Newest first; sort by `requested_at`, `status`."""
    found = await queries.REQUESTS.read(
        page, user_id=access.owner_filter(actor, user_id), status=status
    )
    return found.response(page, read_models.request_items(found, actor))


@router.get(
    "/quote",
    summary="Estimate a request",
    responses=routing.responses(NotFound, UnknownLocation),
)
def estimate_request(
    session: SessionDep,
    actor: AnyoneDep,
    book_id: UUID,
    request_location: Annotated[str, Query(max_length=100, examples=["Study Room 201"])],
) -> Answer[QuoteRead]:
    """Role: all. Whether it is possible now, and when the book would arrive."""
    quoted = arrivals.quote(session, actor, book_id, request_location)
    return answer(QuoteRead.model_validate(quoted))


@router.get("/{request_id}", summary="Get a request", responses=routing.responses(NotFound))
def get_request(
    request_id: UUID, session: SessionDep, actor: AnyoneDep, response: Response
) -> Answer[RequestDetail]:
    """Role: all (own). The requester sees the hand-over code once the robot has arrived."""
    return _tagged(response, read_models.request_detail(session, request_id, actor))


@router.put(
    "/{request_id}/cancel",
    summary="Cancel a request",
    responses=routing.responses(NotFound, Forbidden, InvalidStateTransition, StaleVersion),
)
def cancel_request(
    request: OwnRequestDep,
    session: SessionDep,
    actor: AnyoneDep,
    response: Response,
    body: CancelBody | None = None,
) -> Answer[RequestDetail]:
    """Role: own, admin. Until the hand-over; a loaded robot brings the book back."""
    service.cancel(session, request.id, actor, body.reason if body else None)
    return _tagged(response, read_models.request_detail(session, request.id, actor))


@router.put(
    "/{request_id}/complete",
    summary="Complete a request",
    responses=routing.responses(NotFound, InvalidStateTransition, WrongCode, StaleVersion),
)
def complete_request(
    request: VisibleRequestDep,
    session: SessionDep,
    actor: AnyoneDep,
    response: Response,
    body: RequestComplete | None = None,
) -> Answer[RequestDetail]:
    """Role: own; librarian with the member's `handover_code` or, audited, a `reason`."""
    given = body or RequestComplete()
    service.complete(session, request.id, actor, given.handover_code, given.reason)
    return _tagged(response, read_models.request_detail(session, request.id, actor))


@router.put(
    "/{request_id}/extend",
    summary="Extend the wait of a request",
    responses=routing.responses(
        NotFound, Forbidden, InvalidStateTransition, Conflict, StaleVersion
    ),
)
def extend_request(
    request: OwnRequestDep,
    session: SessionDep,
    actor: AnyoneDep,
    response: Response,
    _body: EmptyBody | None = None,
) -> Answer[RequestDetail]:
    """Role: own, admin. The robot at the door waits longer, at most twice."""
    handover.extend(session, request.id)
    return _tagged(response, read_models.request_detail(session, request.id, actor))


@router.put(
    "/{request_id}/place",
    summary="Change the place of a request",
    responses=routing.responses(
        NotFound, Forbidden, InvalidStateTransition, UnknownLocation, StaleVersion
    ),
)
def change_request_place(
    request: OwnRequestDep,
    body: RequestPlace,
    session: SessionDep,
    actor: AnyoneDep,
    response: Response,
) -> Answer[RequestDetail]:
    """Role: own, admin. Until the robot leaves with the book."""
    handover.change_place(session, request.id, actor, body.request_location)
    return _tagged(response, read_models.request_detail(session, request.id, actor))


@router.post(
    "/{request_id}/problems",
    summary="Report a problem with a request",
    status_code=202,
    response_model=Answer[ProblemRead],
    responses=routing.responses(NotFound, Forbidden, StaleVersion),
)
def report_request_problem(
    request: OwnRequestDep, body: ProblemReport, session: SessionDep, once: IdempotencyDep
) -> Response:
    """Role: own, admin. Alerts staff."""

    def report() -> ProblemRead:
        handover.report_problem(session, request.id, body.kind, body.text)
        return ProblemRead.model_validate(body)

    return once.answer(report, status=202)


def _tagged(response: Response, detail: RequestDetail) -> Answer[RequestDetail]:
    version = dependencies.version_of(detail.task.version, detail.status)
    return etags.tagged(response, detail, version)
