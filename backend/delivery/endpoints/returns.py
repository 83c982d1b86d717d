"""`/returns`: a student wants a copy fetched."""

from typing import Annotated
from uuid import UUID

from fastapi import Body, Query, Response

from backend.delivery import queries
from backend.delivery.dependencies import OwnReturnDep
from backend.delivery.schemas.returns import ReturnCreate, ReturnDetail, ReturnRead
from backend.delivery.schemas.tasks import CancelBody, EmptyBody
from backend.delivery.service import read_models
from backend.delivery.service import returns as service
from backend.shared.errors import (
    AlreadyReturning,
    InvalidStateTransition,
    NotBorrowed,
    NotFound,
    UnknownLocation,
)
from backend.shared.models import BookReturn, ReturnStatus
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.pagination import PageDep, listed, ordered
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/returns", "returns")


@router.post(
    "",
    summary="Have a borrowed book fetched",
    status_code=201,
    response_model=Answer[ReturnDetail],
    responses=routing.responses(NotBorrowed, AlreadyReturning, UnknownLocation),
)
def create(
    body: Annotated[
        ReturnCreate,
        Body(
            examples=[
                {
                    "book_id": "01980000-0000-7000-8000-000000000000",
                    "pickup_location": "Study Room 201",
                }
            ]
        ),
    ],
    session: SessionDep,
    actor: AnyoneDep,
    once: IdempotencyDep,
) -> Response:
    """Role: all. Only a book on loan to the caller."""

    def work() -> ReturnDetail:
        made = service.create(session, actor, body.book_id, body.pickup_location, body.user_id)
        return read_models.return_detail(session, made.id, actor)

    return once.answer(work, location=lambda made: f"/api/v1/returns/{made.id}")


@router.get("", summary="My returns; all of them for staff")
def list_returns(
    reader: ReadDep,
    actor: AnyoneDep,
    page: PageDep,
    status: ReturnStatus | None = None,
    user_id: Annotated[UUID | None, Query(description="Staff: of this member")] = None,
) -> PageAnswer[ReturnRead]:
    """Role: all. Newest first; sort by `initiated_at`, `status`."""
    question = queries.returns()
    if not actor.is_staff:
        user_id = actor.id
    if user_id is not None:
        question = question.where(BookReturn.user_id == user_id)
    if status is not None:
        question = question.where(BookReturn.status == status)
    columns = {"initiated_at": BookReturn.initiated_at, "status": BookReturn.status}
    question = ordered(question, page, columns, default="-initiated_at", tiebreak=BookReturn.id)
    return listed(reader, question, page, read_models.return_of)


@router.get(
    "/{return_id}", summary="One return with its journey", responses=routing.responses(NotFound)
)
def read(return_id: UUID, session: SessionDep, actor: AnyoneDep) -> Answer[ReturnDetail]:
    """Role: all (own)."""
    return answer(read_models.return_detail(session, return_id, actor))


@router.put(
    "/{return_id}/picked-up",
    summary="The robot has the book",
    responses=routing.responses(NotFound, InvalidStateTransition),
)
def picked_up(
    returned: OwnReturnDep,
    session: SessionDep,
    actor: AnyoneDep,
    _body: EmptyBody | None = None,
) -> Answer[ReturnDetail]:
    """Role: own. Only once the robot is there; it drives off after this alone."""
    service.picked_up(session, returned.id, actor)
    return answer(read_models.return_detail(session, returned.id, actor))


@router.put(
    "/{return_id}/cancel",
    summary="Call a pick-up off",
    responses=routing.responses(NotFound, InvalidStateTransition),
)
def cancel(
    returned: OwnReturnDep,
    session: SessionDep,
    actor: AnyoneDep,
    body: CancelBody | None = None,
) -> Answer[ReturnDetail]:
    """Role: own. Before the robot has the book."""
    service.cancel(session, returned.id, actor, body.reason if body else None)
    return answer(read_models.return_detail(session, returned.id, actor))
