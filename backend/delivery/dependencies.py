"""Load the row that a path names; a row of another member is not found.

A given `If-Match` is compared with the version of the task, which every transition raises.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from backend.shared.errors import Forbidden, NotFound
from backend.shared.infra import database
from backend.shared.models import BookRequest, BookReturn, DeliveryTask, Role
from backend.shared.web import etags
from backend.shared.web.database_session import SessionDep
from backend.shared.web.etags import IfMatch
from backend.shared.web.security.authentication import AnyoneDep


def _matching_task(task_id: UUID, session: SessionDep, if_match: IfMatch = None) -> None:
    if if_match is None:
        return
    task = database.row_lock_or_none(session, DeliveryTask, task_id)
    if task is None:
        raise NotFound("Delivery not found.")
    etags.check(if_match, task.version)


MATCHING_TASK = Depends(_matching_task, scope="function")


def version_of(task_version: int, status: str) -> str:
    """Return the version of a request or return: a member may cancel while its task stays."""
    return f"{task_version:x}.{status.lower()}"


def _check_match(
    session: Session, if_match: str | None, owner: ColumnElement[bool], status: str
) -> None:
    if if_match is not None:
        task = session.execute(
            select(DeliveryTask)
            .where(owner)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).scalar_one()
        etags.check(if_match, version_of(task.version, status))


def _visible_request(
    request_id: UUID, session: SessionDep, actor: AnyoneDep, if_match: IfMatch = None
) -> BookRequest:
    request = session.get(BookRequest, request_id)
    if request is None or not (actor.is_staff or request.user_id == actor.id):
        raise NotFound("Request not found.")
    _check_match(session, if_match, DeliveryTask.request_id == request_id, request.status)
    return request


VisibleRequestDep = Annotated[BookRequest, Depends(_visible_request)]


def _cancellable_request(request: VisibleRequestDep, actor: AnyoneDep) -> BookRequest:
    """Require the member or an admin; librarians cancel the delivery instead."""
    if request.user_id != actor.id and actor.role is not Role.ADMIN:
        raise Forbidden("Only the member may cancel this request. Staff cancel the delivery.")
    return request


def _own_return(
    return_id: UUID, session: SessionDep, actor: AnyoneDep, if_match: IfMatch = None
) -> BookReturn:
    """Require the member or an admin; other members' returns are not found."""
    returned = session.get(BookReturn, return_id)
    if returned is None or not (actor.is_staff or returned.user_id == actor.id):
        raise NotFound("Return not found.")
    if returned.user_id != actor.id and actor.role is not Role.ADMIN:
        raise Forbidden("Only the member may change this return.")
    _check_match(session, if_match, DeliveryTask.return_id == return_id, returned.status)
    return returned


CancellableRequestDep = Annotated[BookRequest, Depends(_cancellable_request)]
OwnReturnDep = Annotated[BookReturn, Depends(_own_return)]
