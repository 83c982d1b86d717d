"""Endpoints of users, members and the audit log: for administrators and staff."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from backend.auth import queries
from backend.auth.schemas.administration import (
    EXPORTED,
    AuditLogRead,
    ManagedUserRead,
    MemberRead,
    UserChange,
    UserCreate,
)
from backend.auth.service import privacy, users
from backend.auth.service.second_factor import factors
from backend.shared.domain.audit import personal_data
from backend.shared.errors import Conflict, EmailTaken, Forbidden, NotFound, StaleVersion
from backend.shared.models import Role
from backend.shared.web import etags, routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.idempotency import IdempotencyDep
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.routing import responses
from backend.shared.web.schemas import Instant, PlainText
from backend.shared.web.security.authentication import AdminDep, StaffDep

router = routing.router("/auth", "users")
Search = Annotated[PlainText | None, Query(max_length=100, description="Part of a name or address")]


@router.get("/users", summary="List users")
def list_users(
    reader: ReadDep,
    _: AdminDep,
    page: PageDep,
    q: Search = None,
    role: Role | None = None,
    is_active: Annotated[bool | None, Query()] = None,
) -> PageAnswer[ManagedUserRead]:
    """Newest first; sort by `created_at`, `email`, `last_name`. Role: admin."""
    statement = ordered(
        queries.users(q, role, is_active=is_active),
        page,
        queries.USER_SORTS,
        default="-created_at",
        tiebreak=queries.USER_ID,
    )
    return paginate(reader, statement, page, ManagedUserRead)


@router.post(
    "/users",
    summary="Create a user",
    status_code=201,
    response_model=Answer[ManagedUserRead],
    responses=responses(EmailTaken),
)
def create_user(
    body: UserCreate, session: SessionDep, actor: AdminDep, once: IdempotencyDep
) -> Response:
    """Create an account in any role; a mailed link sets its password. Role: admin."""

    def create() -> ManagedUserRead:
        return ManagedUserRead.model_validate(users.create(session, body, actor))

    return once.answer(create, location=lambda user: f"/api/v1/auth/users/{user.id}")


@router.get("/users/{user_id}", summary="Get a user", responses=responses(NotFound))
def get_user(
    user_id: UUID, session: SessionDep, _: AdminDep, response: Response
) -> Answer[ManagedUserRead]:
    """Role: admin."""
    user = users.get(session, user_id)
    response.headers["ETag"] = etags.etag(user.updated_at)
    return answer(ManagedUserRead.model_validate(user))


@router.put(
    "/users/{user_id}",
    summary="Update a user",
    responses=responses(NotFound, Forbidden, Conflict, StaleVersion),
)
def update_user(
    user_id: UUID,
    body: UserChange,
    session: SessionDep,
    actor: AdminDep,
    response: Response,
    if_match: etags.IfMatch = None,
) -> Answer[ManagedUserRead]:
    """Change names, role or state; a changed role ends the sessions. Role: admin.

    Nobody changes their own role, and the last administrator stays one.
    """
    user = users.change(session, user_id, body.changes(), actor, if_match)
    response.headers["ETag"] = etags.etag(user.updated_at)
    return answer(ManagedUserRead.model_validate(user))


@router.delete(
    "/users/{user_id}",
    summary="Deactivate a user",
    responses=responses(NotFound, Conflict, StaleVersion),
)
def deactivate_user(
    user_id: UUID, session: SessionDep, actor: AdminDep, if_match: etags.IfMatch = None
) -> Answer[None]:
    """Refuse sign-in and end the sessions; the account stays. Role: admin."""
    users.change(session, user_id, {"is_active": False}, actor, if_match)
    return answer(None)


@router.get(
    "/users/{user_id}/export",
    summary="Export a user's data",
    response_model=dict[str, Any],
    responses={**responses(NotFound), **EXPORTED},
)
def export_user(user_id: UUID, session: SessionDep, _: AdminDep) -> dict[str, Any]:
    """Return all that is held about a person. Outside the envelope. Role: admin."""
    return privacy.export(session, user_id)


@router.post(
    "/users/{user_id}/erase", summary="Erase a user", responses=responses(NotFound, Conflict)
)
def erase_user(user_id: UUID, session: SessionDep, actor: AdminDep) -> Answer[None]:
    """Anonymize an account; 409 with `details.reasons` while something is open. Role: admin."""
    privacy.erase(session, user_id, actor)
    return answer(None)


@router.delete(
    "/users/{user_id}/totp",
    summary="Reset a user's second factor",
    responses=responses(NotFound, Forbidden),
)
def reset_second_factor(user_id: UUID, session: SessionDep, actor: AdminDep) -> Answer[None]:
    """Remove the second factor of somebody who has lost it; not the own. Role: admin."""
    factors.reset(session, user_id, actor)
    return answer(None)


@router.get("/members", summary="Look up members")
def list_members(
    reader: ReadDep, _: StaffDep, page: PageDep, q: Search = None
) -> PageAnswer[MemberRead]:
    """Find active members by name or address; sort by `last_name`, `email`. Role: librarian."""
    statement = ordered(
        queries.members(q),
        page,
        queries.MEMBER_SORTS,
        default="last_name",
        tiebreak=queries.USER_ID,
    )
    return paginate(reader, statement, page, MemberRead)


@router.get("/audit-logs", summary="List audit entries")
def list_audit_logs(  # noqa: PLR0913, PLR0917 (one parameter for each filter)
    reader: ReadDep,
    _: AdminDep,
    page: PageDep,
    user_id: UUID | None = None,
    action: Annotated[PlainText | None, Query(max_length=100)] = None,
    resource_type: Annotated[PlainText | None, Query(max_length=100)] = None,
    resource_id: Annotated[PlainText | None, Query(max_length=100)] = None,
    since: Annotated[Instant | None, Query(alias="from")] = None,
    until: Annotated[Instant | None, Query(alias="to")] = None,
) -> PageAnswer[AuditLogRead]:
    """Who did what, newest first; sort by `created_at`. Role: admin."""
    values = {
        "user_id": user_id,
        "action": action,
        "resource_type": resource_type,
        "resource_id": resource_id,
    }
    statement = ordered(
        queries.audit_logs(values, since, until),
        page,
        queries.AUDIT_SORTS,
        default="-created_at",
        tiebreak=queries.AUDIT_ID,
    )
    found = paginate(reader, statement, page, AuditLogRead)
    opened = personal_data.readable(reader, [entry.model_dump() for entry in found.data])
    entries = [AuditLogRead.model_validate(entry) for entry in opened]
    return found.model_copy(update={"data": entries})
