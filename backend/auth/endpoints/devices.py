"""Endpoints of `/auth/sessions`: my signed-in devices."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from backend.auth import queries
from backend.auth.schemas.administration import SessionRead
from backend.auth.service import sessions
from backend.shared.errors import NotFound
from backend.shared.infra import clock
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, answer
from backend.shared.web.routing import responses
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/auth/sessions", "sessions")


@router.get("", summary="List my sessions")
def list_sessions(reader: ReadDep, actor: AnyoneDep) -> Answer[list[SessionRead]]:
    """Return the devices that are signed in, the last used first. Role: any."""
    rows = reader.execute(queries.open_sessions(actor.id, clock.now())).all()
    return answer(
        [
            SessionRead.model_validate({**row._mapping, "current": row.id == actor.session_id})  # noqa: SLF001 (the public way to a row's names)
            for row in rows
        ]
    )


@router.delete("", summary="End my sessions")
def end_sessions(
    session: SessionDep,
    actor: AnyoneDep,
    *,
    keep_current: Annotated[bool, Query(description="Stay signed in on this device")] = True,
) -> Answer[None]:
    """Sign out on all devices, and forget them. Role: any."""
    keep = actor.session_id if keep_current else None
    sessions.sign_out_everywhere(session, actor, keep)
    return answer(None)


@router.delete("/{session_id}", summary="End a session", responses=responses(NotFound))
def end_session(session_id: UUID, session: SessionDep, actor: AnyoneDep) -> Answer[None]:
    """Sign out on one of my devices, and forget it. Role: own."""
    sessions.sign_out(session, actor, session_id)
    return answer(None)
