"""Endpoints of `/deliveries`: the work of staff before loading."""

from typing import Any
from uuid import UUID

from fastapi import Response
from sqlalchemy.orm import Session

from backend.delivery.dependencies import MATCHING_TASK
from backend.delivery.schemas.tasks import CancelBody, TaskDetail
from backend.delivery.service import preparation, read_models
from backend.shared.errors import AlreadyClaimed, InvalidStateTransition, NotFound, StaleVersion
from backend.shared.models import DeliveryTask
from backend.shared.web import etags, routing
from backend.shared.web.database_session import SessionDep
from backend.shared.web.envelope import Answer
from backend.shared.web.schemas import EmptyBody
from backend.shared.web.security.authentication import StaffDep

router = routing.router("/deliveries", "deliveries")
_CHANGES: dict[str, Any] = {
    "dependencies": [MATCHING_TASK],
    "responses": routing.responses(NotFound, InvalidStateTransition, StaleVersion),
}
_CLAIMS: dict[str, Any] = {
    "dependencies": [MATCHING_TASK],
    "responses": routing.responses(NotFound, InvalidStateTransition, AlreadyClaimed, StaleVersion),
}


@router.put("/{task_id}/claim", summary="Claim a delivery", **_CLAIMS)
def claim_delivery(
    task_id: UUID,
    session: SessionDep,
    actor: StaffDep,
    response: Response,
    _body: EmptyBody | None = None,
) -> Answer[TaskDetail]:
    """Role: librarian. Takes the work of preparing it; 409 names who has it."""
    return _tagged(response, session, preparation.claim(session, task_id, actor))


@router.put("/{task_id}/release", summary="Release a delivery", **_CLAIMS)
def release_delivery(
    task_id: UUID,
    session: SessionDep,
    actor: StaffDep,
    response: Response,
    _body: EmptyBody | None = None,
) -> Answer[TaskDetail]:
    """Role: librarian. Gives one's claim back; an admin releases anyone's."""
    return _tagged(response, session, preparation.release(session, task_id, actor))


@router.put("/{task_id}/reassign", summary="Take a delivery off its robot", **_CHANGES)
def reassign_delivery(
    task_id: UUID,
    session: SessionDep,
    actor: StaffDep,
    response: Response,
    body: CancelBody | None = None,
) -> Answer[TaskDetail]:
    """Role: librarian. Before loading; another robot is preferred from now on."""
    reason = body.reason if body else None
    return _tagged(response, session, preparation.reassign(session, task_id, actor, reason))


@router.put("/pick-list/{task_id}/not-found", summary="Report a copy as not found", **_CHANGES)
def report_copy_not_found(
    task_id: UUID,
    session: SessionDep,
    actor: StaffDep,
    response: Response,
    _body: EmptyBody | None = None,
) -> Answer[TaskDetail]:
    """Role: librarian. The copy is missing: another one is reserved, else the request ends."""
    task = preparation.report_copy_missing(session, task_id, actor)
    return _tagged(response, session, task)


def _tagged(response: Response, session: Session, task: DeliveryTask) -> Answer[TaskDetail]:
    detail = read_models.task_detail(session, task.id)
    return etags.tagged(response, detail, detail.version)
