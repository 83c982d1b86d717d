"""Cached responses in Redis: always with a TTL, stored as the bytes to send."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import timedelta

from backend.shared.infra import cache_connection, redis

CATALOGUE_VERSION = "catalogue:version"


def book_key(book_id: object) -> str:
    return f"book:{book_id}"


def robot_key(robot_id: object) -> str:
    return f"robot:{robot_id}:status"


def search_key(query: str) -> str:
    return f"search:{hashlib.sha256(query.encode()).hexdigest()[:32]}"


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
    key: str, ttl: timedelta, create: Callable[[], bytes], *, until_any_change: bool = False
) -> bytes:
    """Return the bytes cached under `key`, or cache what `create` returns on a thread.

    They are stored with the version of the catalogue: with `until_any_change` each change of the
    catalogue invalidates them. One round trip when they are found.
    """
    version: bytes | None = None
    if redis.is_up():
        with redis.suppress_errors():
            current, stored = await cache_connection.mget(CATALOGUE_VERSION, key)
            version = current or b"0"
            stored_version, _, found = (stored or b"").partition(b"\n")
            if stored is not None and (stored_version == version or not until_any_change):
                return found
    created = await asyncio.to_thread(create)
    if version is not None and redis.is_up():
        with redis.suppress_errors():
            await redis.async_cache_client().eval(
                _SET_IF_CURRENT,
                2,
                CATALOGUE_VERSION,
                key,
                version,
                version + b"\n" + created,
                int(ttl.total_seconds()),
            )
    return created
