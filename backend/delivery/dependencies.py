"""Load the row that a path names; a row of another member is not found."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from backend.shared.errors import Forbidden, NotFound
from backend.shared.models import BookRequest, BookReturn, Role
from backend.shared.web.database_session import SessionDep
from backend.shared.web.security.authentication import AnyoneDep


def _visible_request(request_id: UUID, session: SessionDep, actor: AnyoneDep) -> BookRequest:
    request = session.get(BookRequest, request_id)
    if request is None or not (actor.is_staff or request.user_id == actor.id):
        raise NotFound("Request not found.")
    return request


VisibleRequestDep = Annotated[BookRequest, Depends(_visible_request)]


def _cancellable_request(request: VisibleRequestDep, actor: AnyoneDep) -> BookRequest:
    """Require the member or an admin; librarians cancel the delivery instead."""
    if request.user_id != actor.id and actor.role is not Role.ADMIN:
        raise Forbidden("Only the member may cancel this request. Staff cancel the delivery.")
    return request


def _own_return(return_id: UUID, session: SessionDep, actor: AnyoneDep) -> BookReturn:
    """Require the member or an admin; other members' returns are not found."""
    returned = session.get(BookReturn, return_id)
    if returned is None or not (actor.is_staff or returned.user_id == actor.id):
        raise NotFound("Return not found.")
    if returned.user_id != actor.id and actor.role is not Role.ADMIN:
        raise Forbidden("Only the member may change this return.")
    return returned


CancellableRequestDep = Annotated[BookRequest, Depends(_cancellable_request)]
OwnReturnDep = Annotated[BookReturn, Depends(_own_return)]
