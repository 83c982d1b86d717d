"""Rate limits per person and per account, counted in Redis; without Redis none applies."""

import hashlib
import time
from uuid import UUID

from backend.shared.errors import RateLimited
from backend.shared.infra import config, redis


def _count(key: str, seconds: int) -> int:
    """Count a key and return its count in the current window; 0 without Redis."""
    if not redis.is_up():
        return 0
    with redis.suppress_errors():
        pipeline = redis.client().pipeline(transaction=False)
        pipeline.incr(key)
        pipeline.expire(key, seconds, nx=True)
        return int(pipeline.execute()[0])
    return 0


async def count_write(user_id: UUID, idempotency_key: str | None = None) -> None:
    """Count a person's write; RateLimited above the limit per second (0 = no limit).

    A repeat under the same Idempotency-Key writes nothing and is not counted.
    """
    limit = config.http().user_writes_per_second
    if not limit or not redis.is_up():
        return
    with redis.suppress_errors():
        if idempotency_key is not None and await _is_repeat(user_id, idempotency_key):
            return
        key = f"limit:writes:{user_id}:{int(time.time())}"
        pipeline = redis.async_client().pipeline(transaction=False)
        pipeline.incr(key)
        pipeline.expire(key, 2, nx=True)
        if int((await pipeline.execute())[0]) > limit:
            raise RateLimited


async def _is_repeat(user_id: UUID, key: str) -> bool:
    digest = hashlib.sha256(key.encode()).hexdigest()
    fresh = await redis.async_client().set(f"limit:key:{user_id}:{digest}", 1, nx=True, ex=60)
    return fresh is None


def is_login_delayed(account: str) -> bool:
    """Return whether logins to an account are refused at the moment after failed ones.

    After the allowed failures the delay doubles from 1 s to 60 s; it is never a permanent lock.
    """
    if not redis.is_up():
        return False
    with redis.suppress_errors():
        return bool(redis.client().exists(f"limit:pause:{account}"))
    return False


def count_login_failure(account: str) -> None:
    """Count a failed login and delay the next one if there were too many."""
    failures = _count(f"limit:failures:{account}", 15 * 60)
    over = failures - config.http().login_failures_before_delay
    if over >= 0 and redis.is_up():
        with redis.suppress_errors():
            redis.client().set(f"limit:pause:{account}", 1, ex=min(60, 2**over))


def reset_login_failures(account: str) -> None:
    if redis.is_up():
        with redis.suppress_errors():
            redis.client().delete(f"limit:failures:{account}", f"limit:pause:{account}")
