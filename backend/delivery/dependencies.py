"""Load the row that a path names; a row of another member is not found.

A given `If-Match` is compared with the version of the task, which every transition raises.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from backend.delivery.service import alerts
from backend.shared.domain.access import Access
from backend.shared.errors import NotFound
from backend.shared.infra import database
from backend.shared.models import BookRequest, BookReturn, DeliveryTask
from backend.shared.web import etags
from backend.shared.web.database_session import SessionDep
from backend.shared.web.etags import IfMatch
from backend.shared.web.security.access import owned


def _matching_task(task_id: UUID, session: SessionDep, if_match: IfMatch = None) -> None:
    if if_match is None:
        return
    task = database.row_lock_or_none(session, DeliveryTask, task_id)
    if task is None:
        raise NotFound("Delivery not found.")
    etags.check(if_match, task.version)


MATCHING_TASK = Depends(_matching_task, scope="function")


def _matching_alert(alert_id: UUID, session: SessionDep, if_match: IfMatch = None) -> None:
    if if_match is not None:
        etags.check(if_match, alerts.lock(session, alert_id).version)


MATCHING_ALERT = Depends(_matching_alert, scope="function")


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


_RequestToSee = Annotated[
    BookRequest, Depends(owned(BookRequest, "request_id", "Request", Access.VIEW))
]
_RequestToChange = Annotated[
    BookRequest, Depends(owned(BookRequest, "request_id", "Request", Access.CHANGE))
]
_ReturnToChange = Annotated[
    BookReturn, Depends(owned(BookReturn, "return_id", "Return", Access.CHANGE))
]


def _visible_request(
    request: Annotated[
        BookRequest, Depends(owned(BookRequest, "request_id", "Request", Access.VIEW))
    ],
    session: SessionDep,
    if_match: IfMatch = None,
) -> BookRequest:
    _check_match(session, if_match, DeliveryTask.request_id == request.id, request.status)
    return request


def _own_request(
    request: Annotated[
        BookRequest, Depends(owned(BookRequest, "request_id", "Request", Access.CHANGE))
    ],
    session: SessionDep,
    if_match: IfMatch = None,
) -> BookRequest:
    """Require the member or an admin; librarians change the delivery instead."""
    return _visible_request(request, session, if_match)


def _own_return(
    returned: Annotated[
        BookReturn, Depends(owned(BookReturn, "return_id", "Return", Access.CHANGE))
    ],
    session: SessionDep,
    if_match: IfMatch = None,
) -> BookReturn:
    _check_match(session, if_match, DeliveryTask.return_id == returned.id, returned.status)
    return returned


VisibleRequestDep = Annotated[BookRequest, Depends(_visible_request)]
OwnRequestDep = Annotated[BookRequest, Depends(_own_request)]
OwnReturnDep = Annotated[BookReturn, Depends(_own_return)]
