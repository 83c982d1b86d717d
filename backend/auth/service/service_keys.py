"""Rules of service keys: created, rotated with an overlap, revoked; the secret is shown once."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from backend.auth.schemas.service_keys import ServiceKeyCreate
from backend.shared.domain import audit
from backend.shared.domain.actor import Actor
from backend.shared.errors import NotFound
from backend.shared.infra import clock, database
from backend.shared.models import ServiceKey
from backend.shared.web.security import api_keys

OVERLAP = timedelta(minutes=10)  # in which the key before a rotation stays valid


def create(session: Session, body: ServiceKeyCreate, actor: Actor) -> tuple[ServiceKey, str]:
    """Create a key; Duplicate when a key with this name is in use."""
    secret, prefix, key_hash = api_keys.new_service_key()
    key = ServiceKey(
        name=body.name,
        rpcs=sorted(set(body.rpcs)),
        prefix=prefix,
        key_hash=key_hash,
        created_by=actor.id,
        expires_at=body.expires_at,
    )
    session.add(key)
    session.flush()
    changes: dict[str, Any] = {"name": key.name, "rpcs": key.rpcs}
    _record(session, actor, "service_key.created", key, changes)
    return key, secret


def rotate(session: Session, key_id: UUID, actor: Actor) -> tuple[ServiceKey, str]:
    """Replace the secret; the previous one is valid for another 10 minutes."""
    key = _locked(session, key_id)
    secret, prefix, key_hash = api_keys.new_service_key()
    key.previous_prefix, key.previous_hash = key.prefix, key.key_hash
    key.previous_expires_at = clock.now() + OVERLAP
    key.prefix, key.key_hash = prefix, key_hash
    session.flush()
    _record(session, actor, "service_key.rotated", key)
    return key, secret


def revoke(session: Session, key_id: UUID, actor: Actor) -> None:
    """Refuse a key from now on."""
    key = _locked(session, key_id)
    key.revoked_at = clock.now()
    session.flush()
    _record(session, actor, "service_key.revoked", key)


def find(session: Session, secret: str) -> ServiceKey | None:
    """Return the key with this secret; None when it is unknown, revoked or expired."""
    prefix = api_keys.service_key_prefix(secret)
    if prefix is None:
        return None
    now = clock.now()
    key = session.execute(
        select(ServiceKey).where(
            or_(ServiceKey.prefix == prefix, ServiceKey.previous_prefix == prefix),
            ServiceKey.revoked_at.is_(None),
            or_(ServiceKey.expires_at.is_(None), ServiceKey.expires_at > now),
        )
    ).scalar_one_or_none()
    if key is None:
        return None
    if key.prefix == prefix:
        return key if api_keys.matches_digest(secret, key.key_hash) else None
    overlaps = key.previous_expires_at is not None and key.previous_expires_at > now
    return key if overlaps and api_keys.matches_digest(secret, key.previous_hash or "") else None


def _locked(session: Session, key_id: UUID) -> ServiceKey:
    key = database.row_lock_or_none(session, ServiceKey, key_id)
    if key is None or key.revoked_at is not None:
        raise NotFound("Service key not found.")
    return key


def _record(
    session: Session,
    actor: Actor,
    action: str,
    key: ServiceKey,
    changes: dict[str, Any] | None = None,
) -> None:
    audit.record(
        session,
        actor_id=actor.id,
        action=action,
        resource=("service_key", key.id),
        changes=changes,
    )
