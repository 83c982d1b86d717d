"""Cached answers in Redis: always with a TTL, never the truth, kept as the bytes to send."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import timedelta

from backend.shared.infra import redis

CATALOGUE_VERSION = "catalogue:version"


def book_key(book_id: object) -> str:
    return f"book:{book_id}"


def user_key(user_id: object) -> str:
    return f"user:{user_id}"


def robot_key(robot_id: object) -> str:
    return f"robot:{robot_id}:status"


def search_key(question: str, version: bytes) -> str:
    """The key of a search under one version of the catalogue: a bump forgets them all."""
    digest = hashlib.sha256(version + b"\0" + question.encode()).hexdigest()
    return f"search:{digest[:32]}"


def get(key: str) -> bytes | None:
    if not redis.is_up():
        return None
    with redis.guarded():
        found = redis.cache_client().get(key)
        return found if isinstance(found, bytes) else None
    return None


def put(key: str, value: bytes, life: timedelta) -> None:
    if redis.is_up():
        with redis.guarded():
            redis.cache_client().set(key, value, ex=life)


def remember(key: str, life: timedelta, make: Callable[[], bytes]) -> bytes:
    """The cached bytes, or what `make` gives, kept for `life`."""
    found = get(key)
    if found is None:
        found = make()
        put(key, found, life)
    return found


# Nothing is kept that the catalogue's next version came before: whoever read the database just
# ahead of a change must not store, after the change was forgotten, what they read.
_KEEP = """
if (redis.call('GET', KEYS[1]) or '0') == ARGV[1] then
    redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
end
"""


async def remember_catalogue(
    key: Callable[[bytes], str], life: timedelta, make: Callable[[], bytes]
) -> bytes:
    """On the event loop: bytes cached under `key(version)`, or what `make` gives in a thread."""
    version: bytes | None = None
    if redis.is_up():
        with redis.guarded():
            known = await redis.async_cache_client().get(CATALOGUE_VERSION)
            version = known if isinstance(known, bytes) else b"0"
            found = await redis.async_cache_client().get(key(version))
            if isinstance(found, bytes):
                return found
    made = await asyncio.to_thread(make)
    if version is not None and redis.is_up():
        with redis.guarded():
            seconds = int(life.total_seconds())
            await redis.async_cache_client().eval(
                _KEEP, 2, CATALOGUE_VERSION, key(version), version, made, seconds
            )
    return made
