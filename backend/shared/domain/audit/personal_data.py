"""Personal values in the audit trail, encrypted with a key per person.

Erasing a person deletes the key: the values become unreadable, and no row changes.
"""

import base64
import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from cachetools import TTLCache
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from backend.shared.models import PersonKey

PERSONAL = frozenset({"email", "first_name", "last_name", "phone_number"})
_PREFIX = "sealed"
# Only for sealing: what is sealed with a deleted key is as erased as what was sealed before.
_keys: TTLCache[UUID, bytes] = TTLCache(maxsize=10_000, ttl=60)


def subject_of(actor_id: UUID | None, resource_type: str, resource_id: Any) -> UUID | None:
    """Return whom the changes of an audit entry are about."""
    if resource_type == "user":
        return UUID(str(resource_id)) if resource_id is not None else None
    return actor_id


def key_of(session: Session, person: UUID | None) -> bytes | None:
    """Return the key of a person; None after erasure."""
    if person is None:
        return None
    found = _keys.get(person)
    if found is None:
        query = select(PersonKey.secret).where(PersonKey.user_id == person)
        found = session.execute(query).scalar_one_or_none()
        if found is not None:
            _keys[person] = found
    return found


def seal(value: Any, person: UUID | None, key: bytes | None) -> str | None:
    """Encrypt a value of a person; None without their key."""
    if value is None or person is None or key is None:
        return None
    token = _fernet(key).encrypt(json.dumps(value).encode()).decode()
    return f"{_PREFIX}:{person}:{token}"


def seal_changes(changes: dict[str, Any], person: UUID | None, key: bytes | None) -> dict[str, Any]:
    """Encrypt the personal values of changes, before and after."""
    return {
        name: _sealed_parts(value, person, key) if name in PERSONAL else value
        for name, value in changes.items()
    }


def _sealed_parts(value: Any, person: UUID | None, key: bytes | None) -> Any:
    if isinstance(value, dict):
        return {part: seal(inner, person, key) for part, inner in value.items()}
    return seal(value, person, key)


def readable(reader: Connection | Session, values: list[Any]) -> list[Any]:
    """Return values with their encrypted parts readable; null where the person was erased."""
    people = {UUID(text.split(":")[1]) for value in values for text in _sealed_texts(value)}
    query = select(PersonKey.user_id, PersonKey.secret).where(PersonKey.user_id.in_(people))
    keys = {row.user_id: row.secret for row in reader.execute(query)} if people else {}
    return [_opened(value, keys) for value in values]


def _sealed_texts(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _sealed_texts(inner)
    elif isinstance(value, str) and value.startswith(f"{_PREFIX}:"):
        yield value


def _opened(value: Any, keys: dict[UUID, bytes]) -> Any:
    if isinstance(value, dict):
        return {name: _opened(inner, keys) for name, inner in value.items()}
    if not isinstance(value, str) or not value.startswith(f"{_PREFIX}:"):
        return value
    _, person, token = value.split(":", 2)
    key = keys.get(UUID(person))
    try:
        return json.loads(_fernet(key).decrypt(token.encode())) if key is not None else None
    except InvalidToken:
        return None


def _fernet(key: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(key))
