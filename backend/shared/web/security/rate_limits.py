"""Limits per person and per account, counted in Redis; without Redis nobody is limited."""

import hashlib
import time
from uuid import UUID

from backend.shared.errors import RateLimited
from backend.shared.infra import config, redis


def _count(key: str, seconds: int) -> int:
    """How often this key was counted in the present window; 0 when Redis is away."""
    if not redis.is_up():
        return 0
    with redis.guarded():
        pipeline = redis.client().pipeline(transaction=False)
        pipeline.incr(key)
        pipeline.expire(key, seconds, nx=True)
        return int(pipeline.execute()[0])
    return 0


def count_write(user_id: UUID, idempotency_key: str | None = None) -> None:
    """One more write of a person this second; RateLimited past the setting (0 = no limit).

    A repeat under the same Idempotency-Key writes nothing and is not counted.
    """
    most = config.http().user_writes_per_second
    if most and idempotency_key is not None and _is_repeat(user_id, idempotency_key):
        return
    if most and _count(f"limit:writes:{user_id}:{int(time.time())}", 2) > most:
        raise RateLimited


def _is_repeat(user_id: UUID, key: str) -> bool:
    digest = hashlib.sha256(key.encode()).hexdigest()
    if redis.is_up():
        with redis.guarded():
            fresh = redis.client().set(f"limit:key:{user_id}:{digest}", 1, nx=True, ex=60)
            return fresh is None
    return False


def delay_guessing(account: str) -> bool:
    """Whether this account has had so many failed sign-ins that the next must be refused now.

    After the allowed failures the pause doubles from 1 s to 60 s; it is never a lock for good.
    """
    if not redis.is_up():
        return False
    with redis.guarded():
        return bool(redis.client().exists(f"limit:pause:{account}"))
    return False


def count_failure(account: str) -> None:
    """One more failed sign-in on this account."""
    failures = _count(f"limit:failures:{account}", 15 * 60)
    over = failures - config.http().login_failures_before_delay
    if over >= 0 and redis.is_up():
        with redis.guarded():
            redis.client().set(f"limit:pause:{account}", 1, ex=min(60, 2**over))


def forget_failures(account: str) -> None:
    if redis.is_up():
        with redis.guarded():
            redis.client().delete(f"limit:failures:{account}", f"limit:pause:{account}")
