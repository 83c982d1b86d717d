"""Endpoints of `/auth/service-keys`: keys of machines, for administrators."""

from uuid import UUID

from fastapi import Response

from backend.auth import queries
from backend.auth.schemas.service_keys import NewServiceKeyRead, ServiceKeyCreate, ServiceKeyRead
from backend.auth.service import service_keys
from backend.shared.errors import Duplicate, NotFound
from backend.shared.models import ServiceKey
from backend.shared.web import routing
from backend.shared.web.database_session import ReadDep, SessionDep
from backend.shared.web.envelope import Answer, PageAnswer, answer
from backend.shared.web.idempotency import EncryptedIdempotencyDep
from backend.shared.web.pagination import PageDep, ordered, paginate
from backend.shared.web.routing import responses
from backend.shared.web.security.authentication import AdminDep

router = routing.router("/auth/service-keys", "service-keys")


def _shown(key: ServiceKey, secret: str) -> NewServiceKeyRead:
    return NewServiceKeyRead(**ServiceKeyRead.model_validate(key).model_dump(), key=secret)


@router.get("", summary="List service keys")
def list_service_keys(reader: ReadDep, _: AdminDep, page: PageDep) -> PageAnswer[ServiceKeyRead]:
    """Return the keys that are not revoked, without secrets. Role: admin.

    Sort by `name`, `created_at`.
    """
    statement = ordered(
        queries.service_keys(),
        page,
        queries.SERVICE_KEY_SORTS,
        default="name",
        tiebreak=ServiceKey.id,
    )
    return paginate(reader, statement, page, ServiceKeyRead)


@router.post(
    "",
    summary="Create a service key",
    status_code=201,
    response_model=Answer[NewServiceKeyRead],
    responses=responses(Duplicate),
)
def create_service_key(
    body: ServiceKeyCreate, session: SessionDep, actor: AdminDep, once: EncryptedIdempotencyDep
) -> Response:
    """Return the key with its secret, which is shown once. Role: admin."""
    return once.answer(lambda: _shown(*service_keys.create(session, body, actor)))


@router.post(
    "/{key_id}/rotate",
    summary="Rotate a service key",
    response_model=Answer[NewServiceKeyRead],
    responses=responses(NotFound),
)
def rotate_service_key(
    key_id: UUID, session: SessionDep, actor: AdminDep, once: EncryptedIdempotencyDep
) -> Response:
    """Return a new secret; the previous one is valid for another 10 minutes. Role: admin."""
    return once.answer(lambda: _shown(*service_keys.rotate(session, key_id, actor)), status=200)


@router.delete("/{key_id}", summary="Revoke a service key", responses=responses(NotFound))
def revoke_service_key(key_id: UUID, session: SessionDep, actor: AdminDep) -> Answer[None]:
    """Refuse the key from now on. Role: admin."""
    service_keys.revoke(session, key_id, actor)
    return answer(None)
