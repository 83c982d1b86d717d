"""Endpoints of `/returns`: a robot fetches a borrowed copy from a member."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from backend.delivery import dependencies, queries
from backend.delivery.dependencies import OwnReturnDep
from backend.delivery.schemas.returns import ReturnCreate, ReturnDetail, ReturnRead
from backend.delivery.schemas.tasks import CancelBody
from backend.delivery.service import read_models
from backend.delivery.service import returns as service
from backend.shared.domain import access
from backend.shared.errors import (
    AlreadyReturning,
    InvalidStateTransition,
    NotBorrowed,
    NotFound,
    StaleVersion,
    UnknownLocation,
)
from backend.shared.models import BookReturn, ReturnStatus
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.pagination import PageDep, ordered, paginate_rows
from backend.shared.web.schemas import EmptyBody
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/returns", "returns")


@router.post(
    "",
    summary="Create a return",
    status_code=201,
    response_model=Answer[ReturnDetail],
    responses=routing.responses(NotBorrowed, AlreadyReturning, UnknownLocation),
)
def create_return(
    body: ReturnCreate, session: SessionDep, actor: AnyoneDep, once: IdempotencyDep
) -> Response:
    """Role: all. Only a book on loan to the caller."""

    def create() -> ReturnDetail:
        returned = service.create(session, actor, body.book_id, body.pickup_location, body.user_id)
        return read_models.return_detail(session, returned.id, actor)

    return once.answer(create, location=lambda returned: f"/api/v1/returns/{returned.id}")


@router.get("", summary="List returns")
def list_returns(
    reader: ReadDep,
    actor: AnyoneDep,
    page: PageDep,
    status: ReturnStatus | None = None,
    user_id: Annotated[UUID | None, Query(description="Librarians: of this member")] = None,
) -> PageAnswer[ReturnRead]:
    """Role: all (own; librarians see all). Newest first; sort by `initiated_at`, `status`."""
    statement = queries.returns().where(
        *queries.equal(
            (BookReturn.user_id, access.owner_filter(actor, user_id)),
            (BookReturn.status, status),
        )
    )
    columns = {"initiated_at": BookReturn.initiated_at, "status": BookReturn.status}
    statement = ordered(statement, page, columns, default="-initiated_at", tiebreak=BookReturn.id)
    return paginate_rows(reader, statement, page, read_models.return_read)


@router.get("/{return_id}", summary="Get a return", responses=routing.responses(NotFound))
def get_return(
    return_id: UUID, session: SessionDep, actor: AnyoneDep, response: Response
) -> Answer[ReturnDetail]:
    """Role: all (own)."""
    return _tagged(response, read_models.return_detail(session, return_id, actor))


@router.put(
    "/{return_id}/picked-up",
    summary="Confirm pick-up",
    responses=routing.responses(NotFound, InvalidStateTransition, StaleVersion),
)
def confirm_pickup(
    returned: OwnReturnDep,
    session: SessionDep,
    actor: AnyoneDep,
    response: Response,
    _body: EmptyBody | None = None,
) -> Answer[ReturnDetail]:
    """Role: own. Only once the robot has arrived; it departs only after this."""
    service.confirm_pickup(session, returned.id, actor)
    return _tagged(response, read_models.return_detail(session, returned.id, actor))


@router.put(
    "/{return_id}/cancel",
    summary="Cancel a return",
    responses=routing.responses(NotFound, InvalidStateTransition, StaleVersion),
)
def cancel_return(
    returned: OwnReturnDep,
    session: SessionDep,
    actor: AnyoneDep,
    response: Response,
    body: CancelBody | None = None,
) -> Answer[ReturnDetail]:
    """Role: own. Before pick-up."""
    service.cancel(session, returned.id, actor, body.reason if body else None)
    return _tagged(response, read_models.return_detail(session, returned.id, actor))


def _tagged(response: Response, detail: ReturnDetail) -> Answer[ReturnDetail]:
    version = dependencies.version_of(detail.task.version, detail.status)
    return etags.tagged(response, detail, version)
