"""The keys of machines, valid for the RPCs that they name; after a rotation both for a while."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from backend.shared.infra import clock
from backend.shared.infra.hot_reads import HotRead, Row
from backend.shared.models import ServiceKey
from backend.shared.web.security import api_keys
from backend.shared.web.security.key_snapshot import KeySnapshot

KEYS = HotRead(
    select(
        ServiceKey.id,
        ServiceKey.rpcs,
        ServiceKey.created_by,
        ServiceKey.expires_at,
        ServiceKey.prefix,
        ServiceKey.key_hash,
        ServiceKey.previous_prefix,
        ServiceKey.previous_hash,
        ServiceKey.previous_expires_at,
    ).where(ServiceKey.revoked_at.is_(None))
)
_snapshot = KeySnapshot(KEYS)


@dataclass(frozen=True)
class ValidKey:
    """A service key: the RPCs that it may call, and the administrator who created it."""

    id: UUID
    rpcs: frozenset[str]
    created_by: UUID


async def find(secret: str) -> ValidKey | None:
    """Return the key with this secret; None when it is unknown, revoked or expired."""
    prefix = api_keys.service_key_prefix(secret)
    row = None if prefix is None else await _snapshot.get(prefix)
    if row is None or _has_passed(row.expires_at) or not _matches(row, prefix, secret):
        return None
    return ValidKey(row.id, frozenset(row.rpcs), row.created_by)


def _matches(row: Row, prefix: str | None, secret: str) -> bool:
    if prefix == row.prefix:
        return api_keys.matches_digest(secret, row.key_hash)
    overlaps = row.previous_expires_at is not None and not _has_passed(row.previous_expires_at)
    return overlaps and api_keys.matches_digest(secret, row.previous_hash)


def _has_passed(moment: datetime | None) -> bool:
    return moment is not None and moment <= clock.now()


def clear() -> None:
    """Forget all keys (for tests that change the database or the clock)."""
    _snapshot.clear()
