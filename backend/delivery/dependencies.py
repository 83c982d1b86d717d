"""Rows by their path id, with the right to them checked: another's is not found."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from backend.shared.errors import Forbidden, NotFound
from backend.shared.models import BookRequest, BookReturn, Role
from backend.shared.web.database_session import SessionDep
from backend.shared.web.security.authentication import AnyoneDep


def _own_request(request_id: UUID, session: SessionDep, actor: AnyoneDep) -> BookRequest:
    request = session.get(BookRequest, request_id)
    if request is None or not (actor.is_staff or request.user_id == actor.id):
        raise NotFound("There is no such request.")
    return request


def _to_cancel(
    request: Annotated[BookRequest, Depends(_own_request)], actor: AnyoneDep
) -> BookRequest:
    """Its member or an admin may; librarians end the delivery instead."""
    if request.user_id != actor.id and actor.role is not Role.ADMIN:
        raise Forbidden("Only the member may cancel this. Staff cancel the delivery.")
    return request


def _own_return(return_id: UUID, session: SessionDep, actor: AnyoneDep) -> BookReturn:
    returned = session.get(BookReturn, return_id)
    if returned is None or not (actor.is_staff or returned.user_id == actor.id):
        raise NotFound("There is no such return.")
    if returned.user_id != actor.id and actor.role is not Role.ADMIN:
        raise Forbidden("Only the member may do this.")
    return returned


OwnRequestDep = Annotated[BookRequest, Depends(_own_request)]
RequestToCancelDep = Annotated[BookRequest, Depends(_to_cancel)]
OwnReturnDep = Annotated[BookReturn, Depends(_own_return)]
