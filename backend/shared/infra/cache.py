"""Cached responses in Redis: always with a TTL, stored as the bytes to send."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import timedelta

from backend.shared.infra import redis

CATALOGUE_VERSION = "catalogue:version"


def book_key(book_id: object) -> str:
    return f"book:{book_id}"


def robot_key(robot_id: object) -> str:
    return f"robot:{robot_id}:status"


def search_key(query: str, version: bytes) -> str:
    """Return the key of a search; a new version of the catalogue invalidates all of them."""
    digest = hashlib.sha256(version + b"\0" + query.encode()).hexdigest()
    return f"search:{digest[:32]}"


def get(key: str) -> bytes | None:
    if not redis.is_up():
        return None
    with redis.suppress_errors():
        found = redis.cache_client().get(key)
        return found if isinstance(found, bytes) else None
    return None


# Stores a value only if the catalogue's version is unchanged: a value read just before a change
# must not be stored after that change has invalidated the cache.
_SET_IF_CURRENT = """
if (redis.call('GET', KEYS[1]) or '0') == ARGV[1] then
    redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
end
"""


async def get_or_create(
    key: Callable[[bytes], str], ttl: timedelta, create: Callable[[], bytes]
) -> bytes:
    """Return the bytes cached under `key(version)`, or cache what `create` returns on a thread."""
    version: bytes | None = None
    if redis.is_up():
        with redis.suppress_errors():
            stored = await redis.async_cache_client().get(CATALOGUE_VERSION)
            version = stored if isinstance(stored, bytes) else b"0"
            found = await redis.async_cache_client().get(key(version))
            if isinstance(found, bytes):
                return found
    created = await asyncio.to_thread(create)
    if version is not None and redis.is_up():
        with redis.suppress_errors():
            seconds = int(ttl.total_seconds())
            await redis.async_cache_client().eval(
                _SET_IF_CURRENT, 2, CATALOGUE_VERSION, key(version), version, created, seconds
            )
    return created
