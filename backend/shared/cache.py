"""Cached answers in Redis: always with a TTL, never the truth, kept as the bytes to send."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from backend.shared import redis

CATALOGUE_VERSION = "catalogue:version"


def book_key(book_id: object) -> str:
    return f"book:{book_id}"


def user_key(user_id: object) -> str:
    return f"user:{user_id}"


def robot_key(robot_id: object) -> str:
    return f"robot:{robot_id}:status"


def search_key(question: str) -> str:
    """The key of a search under the present version of the catalogue: a bump forgets them all."""
    version = b"0"
    if redis.is_up():
        with redis.guarded():
            found = redis.cache_client().get(CATALOGUE_VERSION)
            version = found if isinstance(found, bytes) else b"0"
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
