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
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.pagination import PageDep, ordered, paginate_rows
from backend.shared.web.routing import responses
from backend.shared.web.security.authentication import AnyoneDep

router = routing.router("/auth/sessions", "sessions")


@router.get("", summary="List my sessions")
def list_sessions(reader: ReadDep, actor: AnyoneDep, page: PageDep) -> PageAnswer[SessionRead]:
    """Return the devices that are signed in, the last used first. Role: any.

    Sort by `last_used_at`, `created_at`.
    """
    statement = ordered(
        queries.open_sessions(actor.id, clock.now()),
        page,
        queries.SESSION_SORTS,
        default="-last_used_at",
        tiebreak=queries.SESSION_ID,
    )
    return paginate_rows(
        reader,
        statement,
        page,
        lambda row: SessionRead.model_validate(
            {**row._asdict(), "current": row.id == actor.session_id}
        ),
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
