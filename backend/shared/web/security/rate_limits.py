"""Rate limit of writes per person, counted in Redis; without Redis none applies."""

import hashlib
import time
from uuid import UUID

from backend.shared.errors import RateLimited
from backend.shared.infra import config, redis


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
